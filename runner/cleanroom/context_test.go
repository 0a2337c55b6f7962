package cleanroom_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/runner/cleanroom"
	"github.com/labctl/labctl/scenarios/lab"
)

func file(path, content string) lab.File { return lab.File{Path: path, Content: []byte(content)} }

// packed writes a context and lists what is in the tar.
func packed(t *testing.T, files []lab.File, rules cleanroom.Rules) []string {
	t.Helper()
	c, err := cleanroom.NewContext(files, rules)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := c.WriteTar(&out, ".build", alias); err != nil {
		t.Fatal(err)
	}
	return listed(t, &out)
}

func listed(t *testing.T, r io.Reader) []string {
	t.Helper()
	var lines []string
	for in := tar.NewReader(r); ; {
		header, err := in.Next()
		if err == io.EOF {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if header.Uid != 0 || header.Gid != 0 || header.ModTime.Year() > 2004 {
			t.Errorf("%s belongs to %d:%d, of %v", header.Name, header.Uid, header.Gid, header.ModTime)
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%c %o %s %s%s", header.Typeflag, header.Mode, header.Name, header.Linkname, content)))
	}
}

// A file has the time of its content: engines that tell a replaced file by its
// size and time alone would else miss it.
func TestContextTimes(t *testing.T) {
	t.Parallel()
	c, err := cleanroom.NewContext([]lab.File{
		file("Dockerfile", "FROM labctl/base:1"), file("a", "size=1\n"), file("b", "size=2\n"), file("c", "size=1\n"),
		{Path: "l", Link: "a"}, {Path: "m", Link: "b"},
	}, rules)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := c.WriteTar(&out, ".build", alias); err != nil {
		t.Fatal(err)
	}
	times := map[string]int64{}
	for in := tar.NewReader(&out); ; {
		header, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		times[header.Name] = header.ModTime.Unix()
	}
	if times["a"] == times["b"] || times["a"] != times["c"] || times["l"] == times["m"] || times["a"] < 0 {
		t.Errorf("times %v", times)
	}
}

func TestContextTar(t *testing.T) {
	t.Parallel()
	files := []lab.File{
		file("www/b", "b"), file("Dockerfile", "FROM labctl/base:1"),
		{Path: "www/cgi-bin/a", Content: []byte("a"), Executable: true}, {Path: "l", Link: "../out"},
		file(strings.Repeat("long/", 60)+"name\n", "x"),
	}
	got := packed(t, files, rules)
	want := []string{
		"0 644 Dockerfile FROM labctl/base:1", "2 777 l ../out", "5 755 www/", "0 644 www/b b",
		"5 755 www/cgi-bin/", "0 755 www/cgi-bin/a a", "0 644 .build FROM alias/one:x",
	}
	short := slices.DeleteFunc(slices.Clone(got), func(l string) bool { return strings.Contains(l, "long/") })
	if !slices.Equal(short, want) || len(got) != len(want)+61 {
		t.Errorf("packed:\n%s", strings.Join(got, "\n"))
	}
	slices.Reverse(files)
	if again := packed(t, files, rules); !slices.Equal(got, again) {
		t.Error("the order of the files makes a difference")
	}
}

func TestDockerignore(t *testing.T) {
	t.Parallel()
	files := func(ignore string) []lab.File {
		return []lab.File{
			file(".dockerignore", ignore), file("Dockerfile", "FROM scratch"),
			file("README.md", ""), file("www/a", ""), file("www/tmp/b", ""), file("keep.log", ""), file("x.log", ""),
		}
	}
	tests := []struct{ ignore, want string }{
		{"", ".dockerignore Dockerfile README.md keep.log www/a www/tmp/b x.log"},
		{"# comment\n/www\n*.log\n!keep.log\n", ".dockerignore Dockerfile README.md keep.log"},
		{"**/tmp\n*.md", ".dockerignore Dockerfile keep.log www/a x.log"},
		{"*\n!www", "www/a www/tmp/b"},
		{".dockerignore\nDockerfile\n*.log", "README.md www/a www/tmp/b"},
	}
	for _, test := range tests {
		t.Run(test.ignore, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, line := range packed(t, files(test.ignore), rules) {
				if name := strings.Fields(line)[2]; line[0] == '0' && name != ".build" {
					got = append(got, name)
				}
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("sent %v, want %s", got, test.want)
			}
		})
	}
}

func TestIgnoreFileOfTheDockerfileNeedsBuildKit(t *testing.T) {
	t.Parallel()
	files := []lab.File{file("Dockerfile", "FROM scratch"), file("Dockerfile.dockerignore", "a"), file(".dockerignore", "b"), file("a", ""), file("b", "")}
	for buildKit, want := range map[bool]string{true: "b", false: "a"} {
		r := rules
		r.BuildKit = buildKit
		all := strings.Join(packed(t, files, r), "\n") + "\n"
		if !strings.Contains(all, " "+want+"\n") || strings.Count(all, "\n") != 5 {
			t.Errorf("BuildKit %t: %s", buildKit, all)
		}
	}
}

func TestContextRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		files []lab.File
		says  string
	}{
		"no Dockerfile":       {[]lab.File{file("docker/Dockerfile", "FROM scratch")}, "there is no Dockerfile"},
		"linked Dockerfile":   {[]lab.File{{Path: "Dockerfile", Link: "/etc/passwd"}}, "symbolic link"},
		"linked ignore file":  {[]lab.File{file("Dockerfile", "FROM scratch"), {Path: ".dockerignore", Link: "x"}}, "symbolic link"},
		"ignore file in vain": {[]lab.File{file("Dockerfile", "FROM scratch"), file(".dockerignore", "[")}, ".dockerignore cannot be read"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := cleanroom.NewContext(test.files, rules)
			var refused *cleanroom.Refused
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v", err)
			}
		})
	}
}
