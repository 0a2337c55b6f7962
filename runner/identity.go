package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/labctl/labctl/runner/engine"
	"github.com/labctl/labctl/runner/state"
)

// instanceName is the identity of lab + learner as every engine name carries
// it. What a name cannot hold is replaced, and told apart by a digest.
func instanceName(lab, learner string) string {
	return lab + "-" + slug(learner)
}

func slug(s string) string {
	const longest = 24
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	name := strings.TrimRight(b.String(), "-")
	if len(name) > longest {
		name = strings.TrimRight(name[:longest], "-")
	}
	if name == s {
		return name
	}
	sum := sha256.Sum256([]byte(s))
	digest := hex.EncodeToString(sum[:3])
	if name == "" {
		return digest
	}
	return name + "-" + digest
}

// commonLabels are on every object of an instance.
func commonLabels(r *state.Record, user string) map[string]string {
	return map[string]string{
		engine.LabelInstance: r.Instance,
		engine.LabelLab:      r.Lab,
		engine.LabelLearner:  r.Learner,
		engine.LabelUser:     user,
	}
}

// factLabels are on an instance's networks: all that a grade rests on and that
// the instance's folder may have lost.
func factLabels(r *state.Record) (map[string]string, error) {
	images, err := json.Marshal(r.Images)
	if err != nil {
		return nil, fmt.Errorf("writing the facts of %s: %w", r.Instance, err)
	}
	addresses, err := json.Marshal(r.Addresses)
	if err != nil {
		return nil, fmt.Errorf("writing the facts of %s: %w", r.Instance, err)
	}
	return map[string]string{
		engine.LabelDefinition: r.Definition,
		engine.LabelSeed:       strconv.FormatInt(r.Seed, 10),
		engine.LabelSource:     r.Source,
		engine.LabelStarted:    r.Started.Format(time.RFC3339),
		engine.LabelWorkspace:  r.Workspace,
		engine.LabelImages:     string(images),
		engine.LabelAddresses:  string(addresses),
	}, nil
}

// factsOf reads a record back from the labels of a network.
func factsOf(n engine.Network) (*state.Record, error) {
	l := n.Labels
	r := &state.Record{
		Instance: l[engine.LabelInstance], Lab: l[engine.LabelLab], Learner: l[engine.LabelLearner],
		Definition: l[engine.LabelDefinition], Source: l[engine.LabelSource], Workspace: l[engine.LabelWorkspace],
	}
	var err error
	if r.Seed, err = strconv.ParseInt(l[engine.LabelSeed], 10, 64); err != nil {
		return nil, fmt.Errorf("reading the labels of network %s: seed: %w", n.Name, err)
	}
	if r.Started, err = time.Parse(time.RFC3339, l[engine.LabelStarted]); err != nil {
		return nil, fmt.Errorf("reading the labels of network %s: started: %w", n.Name, err)
	}
	if err := json.Unmarshal([]byte(l[engine.LabelImages]), &r.Images); err != nil {
		return nil, fmt.Errorf("reading the labels of network %s: images: %w", n.Name, err)
	}
	if err := json.Unmarshal([]byte(l[engine.LabelAddresses]), &r.Addresses); err != nil {
		return nil, fmt.Errorf("reading the labels of network %s: addresses: %w", n.Name, err)
	}
	return r, nil
}
