package runner

import (
	"slices"
	"testing"
)

func TestLearningOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		labs []LabInfo
		want []string
	}{
		{"after, however they are called", []LabInfo{{Name: "a", Level: "beginner", After: []string{"c"}}, {Name: "b", Level: "beginner", After: []string{"a"}}, {Name: "c", Level: "advanced"}}, []string{"c", "a", "b"}},
		{"the easier first, then by name", []LabInfo{{Name: "a", Level: "advanced"}, {Name: "b", Level: "intermediate"}, {Name: "d", Level: "beginner"}, {Name: "c", Level: "beginner"}}, []string{"c", "d", "b", "a"}},
		{"what is not shipped is not waited for", []LabInfo{{Name: "b", Level: "beginner", After: []string{"elsewhere"}}, {Name: "a", Level: "intermediate"}}, []string{"b", "a"}},
		{"a circle", []LabInfo{{Name: "b", Level: "beginner", After: []string{"a"}}, {Name: "a", Level: "beginner", After: []string{"b"}}, {Name: "c", Level: "advanced"}}, []string{"c", "a", "b"}},
		{"none", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, l := range learningOrder(tt.labs) {
				got = append(got, l.Name)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
