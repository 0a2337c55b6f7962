package report

// RepeatSchema names the format of a repetition's JSON.
const RepeatSchema = "labctl/repeat/v1"

// Repeat is one instance, looked at and graded several times.
type Repeat struct {
	Schema   string     `json:"schema"`
	Runs     int        `json:"runs"`
	Words    []Word     `json:"words"`    // of provenance, of each run
	Wavering []Wavering `json:"wavering"` // checks that did not come out alike
	Report   Report     `json:"report"`   // of the last run
}

// Wavering is a check that did not come out alike each time.
type Wavering struct {
	Name        string   `json:"name"`
	Service     string   `json:"service"`
	Environment string   `json:"environment"`
	Outcomes    []string `json:"outcomes"` // of each run: pass, fail, error, skip or absent
}

// Repeated puts the reports of several runs together, the last at the end.
func Repeated(runs []Report) Repeat {
	last := runs[len(runs)-1]
	out := Repeat{Schema: RepeatSchema, Runs: len(runs), Words: []Word{}, Wavering: []Wavering{}, Report: last}
	type row struct{ name, service, environment string }
	var order []row
	outcomes := map[row][]string{}
	for i, r := range runs {
		out.Words = append(out.Words, r.Provenance.Word)
		for _, c := range r.Checks {
			key := row{c.Name, c.Service, c.Environment}
			if outcomes[key] == nil {
				order = append(order, key)
				for range runs {
					outcomes[key] = append(outcomes[key], Absent)
				}
			}
			outcomes[key][i] = outcomeOf(c)
		}
	}
	for _, key := range order {
		if !alike(outcomes[key]) {
			out.Wavering = append(out.Wavering, Wavering{key.name, key.service, key.environment, outcomes[key]})
		}
	}
	return out
}

// Wavers reports whether two runs came out otherwise, in a check or in the word
// for how what is live came to be.
func (r Repeat) Wavers() bool { return len(r.Wavering) > 0 || !alike(r.Words) }

func alike[T comparable](all []T) bool {
	for _, v := range all {
		if v != all[0] {
			return false
		}
	}
	return true
}
