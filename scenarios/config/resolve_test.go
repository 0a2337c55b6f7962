package config_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/labctl/labctl/labs"
	"github.com/labctl/labctl/scenarios/check"
	"github.com/labctl/labctl/scenarios/config"
	"github.com/labctl/labctl/scenarios/lab"
)

// load reads a lab in which nothing is wrong.
func load(t *testing.T, files fs.FS) *config.Definition {
	t.Helper()
	def, diags := config.Load(files)
	if diags.HasErrors() {
		t.Fatal(lines(diags))
	}
	return def
}

func resolve(t *testing.T, def *config.Definition, learner string, seed int64) *lab.Lab {
	t.Helper()
	l, diags := def.Resolve(learner, seed)
	if diags.HasErrors() {
		t.Fatal(lines(diags))
	}
	return l
}

// with is the base lab with files laid over it, given as name, content pairs.
func with(t *testing.T, pairs ...string) fstest.MapFS {
	t.Helper()
	files := base(t)
	for i := 0; i < len(pairs); i += 2 {
		files[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return files
}

// What was validated once is read without that: it is the same lab.
func TestReadIsLoadWithoutTheDraws(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"drift-lab", "snowflake-lab", "preprod-lab", "done-lab"} {
		files, err := fs.Sub(labs.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		loaded := load(t, files)
		read, diags := config.Read(files)
		if diags.HasErrors() {
			t.Fatal(lines(diags))
		}
		if read.Digest != loaded.Digest {
			t.Errorf("%s: the digest is %s, want %s", name, read.Digest, loaded.Digest)
		}
		got, want := resolve(t, read, "ann", 7), resolve(t, loaded, "ann", 7)
		for what, parts := range map[string][2]any{
			"parameters": {got.Params, want.Params}, "services": {got.Services, want.Services}, "checks": {got.Checks, want.Checks}, "quiz": {got.Quiz, want.Quiz},
		} {
			if !reflect.DeepEqual(parts[0], parts[1]) {
				t.Errorf("%s: the %s are %+v, want %+v", name, what, parts[0], parts[1])
			}
		}
	}
	if _, diags := config.Read(with(t, "broken.hcl", "check {")); !diags.HasErrors() {
		t.Error("a broken file was read")
	}
}

func TestDrawReachesEveryPickAndIsStable(t *testing.T) {
	t.Parallel()
	before := load(t, base(t))
	after := load(t, with(t, "extra.hcl", `
parameter "added" { pick = ["x", "y"] }
parameter "guest" { between = [3, 5] }
parameter "tax" { pick = [{ a = 1, b = true }, { a = 2, b = false }] }
`))
	prices, guests := map[string]bool{}, map[string]bool{}
	for seed := range int64(200) {
		one, two, again := resolve(t, before, "ann", seed), resolve(t, after, "ann", seed), resolve(t, after, "bob", seed)
		if one.Params["PARAM_PRICE"] != two.Params["PARAM_PRICE"] {
			t.Fatalf("seed %d: adding a parameter changed another's draw", seed)
		}
		if !maps.Equal(two.Params, again.Params) {
			t.Fatalf("seed %d draws two ways: %v and %v", seed, two.Params, again.Params)
		}
		prices[two.Params["PARAM_PRICE"]] = true
		guests[two.Params["PARAM_GUEST"]] = true
		if (two.Params["PARAM_TAX_A"] == "1") != (two.Params["PARAM_TAX_B"] == "true") {
			t.Fatalf("an object was not drawn jointly: %v", two.Params)
		}
	}
	if got := slices.Sorted(maps.Keys(prices)); !slices.Equal(got, []string{"100", "200", "300"}) {
		t.Errorf("prices drawn: %v", got)
	}
	if got := slices.Sorted(maps.Keys(guests)); !slices.Equal(got, []string{"3", "4", "5"}) {
		t.Errorf("guests drawn: %v", got)
	}
}

func TestDrawIsForEver(t *testing.T) {
	t.Parallel()
	// Instances that run keep their seed only: were draws to change, their
	// learners would be graded by other values than they were told.
	l := resolve(t, load(t, base(t)), "ann", 42)
	if got := l.Params["PARAM_PRICE"]; got != "100" {
		t.Errorf("seed 42 draws price %s", got)
	}
	if got := config.SeedOf("ann"); got != 1445792012 {
		t.Errorf("the seed of ann is %d", got)
	}
}

func TestSeedOfIsNeverNegative(t *testing.T) {
	t.Parallel()
	for i := range 1000 {
		if seed := config.SeedOf(fmt.Sprint("learner", i)); seed < 0 {
			t.Fatalf("learner%d has seed %d", i, seed)
		}
	}
}

func TestOneDefinitionServesManyLearners(t *testing.T) {
	t.Parallel()
	def := load(t, base(t))
	for seed := range int64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			if l := resolve(t, def, "ann", seed); l.Seed != seed || l.Learner != "ann" || l.Definition != def.Digest {
				t.Errorf("resolved for %s with seed %d", l.Learner, l.Seed)
			}
		})
	}
}

func TestTemplatesAreRendered(t *testing.T) {
	t.Parallel()
	l := resolve(t, load(t, base(t)), "ann", 1)
	var paths []string
	for _, f := range l.Commits[0].Files {
		paths = append(paths, f.Path)
		if want := "price=" + l.Params["PARAM_PRICE"] + "\n"; f.Path == "price" && string(f.Content) != want {
			t.Errorf("price is %q, want %q", f.Content, want)
		}
	}
	if !slices.Equal(paths, []string{"Dockerfile", "price"}) {
		t.Errorf("the commit has %v", paths)
	}
}

func TestImagesComeInAnOrderInWhichTheyCanBeMade(t *testing.T) {
	t.Parallel()
	l := resolve(t, load(t, with(t,
		"a.hcl", `image "a" { context = "a" }`,
		"a/Dockerfile", "FROM --platform=linux/amd64 shop/tool:1 AS build\nFROM scratch\nCOPY --from=build / /\n",
		"b.hcl", "image \"tool\" {\n tag = \"shop/tool:1\"\n context = \"tool\"\n}\n",
		"tool/Dockerfile", "from shop/base:1\n",
	)), "ann", 1)
	var names []string
	for _, i := range l.Images {
		names = append(names, i.Name)
	}
	for _, pair := range [][2]string{{"tool", "a"}, {"base", "tool"}, {"base", "shop"}} {
		if slices.Index(names, pair[0]) > slices.Index(names, pair[1]) {
			t.Errorf("%s comes after %s, which needs it: %v", pair[0], pair[1], names)
		}
	}
}

func TestBuildNetwork(t *testing.T) {
	t.Parallel()
	for declared, want := range map[string]bool{"": false, "build_network = false": false, "build_network = true": true} {
		world := strings.Replace(string(base(t)["world.hcl"].Data), "workspace {", "workspace {\n"+declared+"\n", 1)
		if got := resolve(t, load(t, with(t, "world.hcl", world)), "ann", 1).BuildNetwork; got != want {
			t.Errorf("%q: builds reach the network: %t", declared, got)
		}
	}
}

const twoEnvironments = `
environment "dev" {
  values = { host = "dev.example" }
}

environment "preprod" { like = environment.prod }

environment "prod" {
  internal = true

  run {
    memory = "16m"
    env    = { STAGE = each.environment }
  }
}
`

func TestEnvironments(t *testing.T) {
	t.Parallel()
	l := resolve(t, load(t, with(t,
		"environments.hcl", twoEnvironments,
		"brief.md", "dev ${service.web.dev.network}, prod ${service.web.prod.run}, ${container.pet-01-dev.name}",
		"world.hcl", strings.Replace(string(base(t)["world.hcl"].Data), "ready {", "publish = \"none\"\n  run { env = { IN = each.environment } }\n  ready {", 1),
	)), "ann", 1)

	if got := []bool{l.Environments[0].Internal, l.Environments[1].Internal, l.Environments[2].Internal}; !slices.Equal(got, []bool{false, true, true}) {
		t.Errorf("internal: %v", got)
	}
	preprod := l.Service("web", "preprod")
	if preprod.Run.Memory != "16m" || preprod.Run.Env["STAGE"] != "preprod" || preprod.Run.Env["IN"] != "preprod" {
		t.Errorf("preprod runs as %+v", preprod.Run)
	}
	if l.Start().Containers[2].Name != "pet-01-prod" || l.Start().Containers[2].Environment != "prod" {
		t.Errorf("containers: %+v", l.Start().Containers)
	}
	var rows []string
	points := map[string]int{}
	for _, c := range l.Checks {
		rows = append(rows, fmt.Sprintf("%s.%s %d", c.Name, c.Environment, c.Points))
		points[c.Name] += c.Points
	}
	for _, want := range []string{"price.dev 10", "replaced.dev 5", "built_from_repo.dev 7", "built_from_repo.preprod 7", "built_from_repo.prod 6"} {
		if !slices.Contains(rows, want) {
			t.Errorf("no row %q in %v", want, rows)
		}
	}
	if points["price"] != 30 || points["built_from_repo"] != 20 {
		t.Errorf("rows do not sum to their check's points: %v", points)
	}
	for _, across := range []string{"same_image", "promoted"} {
		if _, known := check.Find(across); known && !slices.Contains(rows, across+". 10") {
			t.Errorf("%s does not ask about all environments at once: %v", across, rows)
		}
	}
	brief, err := l.Brief(lab.Told{
		Services: []lab.ToldService{
			{Name: "web", Environment: "dev", Network: "d"},
			{Name: "web", Environment: "prod", Run: "--network p"},
		},
		Containers: map[string]string{"pet-01-dev": "shop-ann-pet-01-dev"},
	})
	if want := "dev d, prod --network p, shop-ann-pet-01-dev"; err != nil || brief != want {
		t.Errorf("the brief is %q, %v", brief, err)
	}
}

func TestSetSharesItsPointsByWeight(t *testing.T) {
	t.Parallel()
	l := resolve(t, load(t, with(t, "checks.hcl", string(base(t)["checks.hcl"].Data)+`
check "provenance" "second" {
  service = service.web
  prefix  = "again"
  points  = 41
  except  = ["served_by"]

  member "no_drift" {
    title    = "Untouched"
    points   = 1
    required = false
  }
}
`)), "ann", 1)
	total := 0
	for _, c := range l.Checks {
		if !strings.HasPrefix(c.Name, "again_") {
			continue
		}
		total += c.Points
		switch c.Kind {
		case "served_by":
			t.Error("the excepted member is there")
		case "no_drift":
			if c.Points != 1 || c.Title != "Untouched" || c.Required {
				t.Errorf("the member is not overridden: %+v", c)
			}
		case "replaced":
			if len(c.Requires) != 0 {
				t.Errorf("replaced requires %v", c.Requires)
			}
			continue
		case "source":
			if c.Points != 0 || !c.Required {
				t.Errorf("source has a weight, or is not required: %+v", c)
			}
		case "built_from_repo":
			if !slices.Equal(c.Requires, []string{"again_replaced", "again_source"}) {
				t.Errorf("%s requires %v", c.Name, c.Requires)
			}
			continue
		}
		if !slices.Equal(c.Requires, []string{"again_replaced"}) {
			t.Errorf("%s requires %v", c.Name, c.Requires)
		}
	}
	if total != 41 {
		t.Errorf("the set has %d points", total)
	}
}

func TestSetWithoutAMemberRequiresItNot(t *testing.T) {
	t.Parallel()
	for except, want := range map[string][]string{"source": {"x_replaced"}, "replaced": {"x_source"}} {
		l := resolve(t, load(t, with(t, "extra.hcl", `check "provenance" "second" {
  service = service.web
  prefix  = "x"
  except  = ["`+except+`"]
}`)), "ann", 1)
		i := slices.IndexFunc(l.Checks, func(c lab.Check) bool { return c.Name == "x_built_from_repo" })
		if got := l.Checks[i].Requires; !slices.Equal(got, want) {
			t.Errorf("without %s it requires %v", except, got)
		}
	}
}

func TestConditionIsKeptWithWhatItRefersTo(t *testing.T) {
	t.Parallel()
	l := resolve(t, load(t, with(t, "extra.hcl", `
check "assert" "user" {
  condition     = alltrue([for c in live.web : c.user == "u${param.price}" && !contains(start.web[*].id, c.id)])
  error_message = "Not u${param.price}."
}
`)), "ann", 1)
	i := slices.IndexFunc(l.Checks, func(c lab.Check) bool { return c.Name == "user" })
	var spec struct {
		Condition    check.Expression
		ErrorMessage string `json:"error_message"`
	}
	if err := json.Unmarshal(l.Checks[i].Spec, &spec); err != nil {
		t.Fatal(err)
	}
	price := l.Params["PARAM_PRICE"]
	if got := string(spec.Condition.Values["param"].Value); got != `{"price":`+price+`}` {
		t.Errorf("param is kept as %s", got)
	}
	if got := spec.Condition.Start["web"]; !slices.Equal(got, []string{"pet-01"}) {
		t.Errorf("the start's containers are %v", got)
	}
	if spec.ErrorMessage != "Not u"+price+"." || !strings.HasPrefix(spec.Condition.Source, "alltrue(") {
		t.Errorf("kept as %+v", spec)
	}
}

// An image that a check refers to is kept by its name, in every environment.
func TestImageIsKeptByName(t *testing.T) {
	t.Parallel()
	l := resolve(t, load(t, with(t, "brief.md", "Have a look.\n", "extra.hcl", `
environment "dev" {}
environment "prod" {}
check "based_on" "current" {
  service = service.web
  image   = image.base
  points  = 3
}
`)), "ann", 1)
	points := map[string]int{}
	for _, c := range l.Checks {
		if c.Kind != "based_on" {
			continue
		}
		if points[c.Environment] = c.Points; string(c.Spec) != `{"image":"base"}` {
			t.Errorf("%s: %s", c.Environment, c.Spec)
		}
	}
	if want := map[string]int{"dev": 2, "prod": 1}; !maps.Equal(points, want) {
		t.Errorf("points %v, want %v", points, want)
	}
}

func TestHintsAreToldWithAddresses(t *testing.T) {
	t.Parallel()
	l := resolve(t, load(t, with(t, "extra.hcl", `hint { text = "${instance} in ${workspace}: port ${service.web.port}" }`)), "ann", 1)
	told := lab.Told{Instance: "shop-ann", Workspace: "/home/ann/my shop", Services: []lab.ToldService{{Name: "web", URL: "http://127.0.0.1:8081", Port: 8081}}}
	text, err := l.Hints[0](told)
	if want := "shop-ann in /home/ann/my shop: port 8081"; err != nil || text != want {
		t.Errorf("the hint is %q, %v", text, err)
	}
	told.Services[0].URL = ""
	if text, err := l.Hints[0](told); err == nil {
		t.Errorf("without an address the hint is %q", text)
	}
}

func TestShippedLabs(t *testing.T) {
	t.Parallel()
	folders, err := fs.ReadDir(labs.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		t.Run(folder.Name(), func(t *testing.T) {
			t.Parallel()
			sub, err := fs.Sub(labs.FS, folder.Name())
			if err != nil {
				t.Fatal(err)
			}
			def := load(t, sub)
			if def.Name() != folder.Name() {
				t.Errorf("the lab in %s is called %s", folder.Name(), def.Name())
			}
			l := resolve(t, def, "ann", config.SeedOf("ann"))
			points := 0
			for _, c := range l.Checks {
				points += c.Points
			}
			if points != 100 {
				t.Errorf("its checks have %d points", points)
			}
			if l.Brief == nil || len(l.Hints) == 0 {
				t.Error("it has no brief or no hints")
			}
		})
	}
}
