package docker

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/labctl/labctl/runner/engine"
)

// maxListed is how many files of one call of find are told one by one, so that
// they are within what Exec keeps of an output.
const maxListed = 100

// noFind is the exit code of listing where there is no find.
const noFind = 127

// listing writes for each file the mark, its size, its path and what is in it.
// Paths and contents can hold whatever they like but the mark, which nobody knew
// before. At its end stands the mark again.
const listing = `command -v find >/dev/null || exit 127
exec 2>/dev/null
all=0
for folder do
	find "$folder" -xdev -type f -exec sh -c '
		n=0
		for f do
			n=$((n + 1))
			[ $n -le $LABCTL_MOST ] || continue
			size=$(stat -c %s "$f") || size=$(wc -c <"$f") || size=-1
			printf "%s%d\0%s\0" $LABCTL_MARK $size "$f"
			[ $size -gt $LABCTL_TEXT ] || cat "$f"
		done
		[ $n -le $LABCTL_MOST ] || printf "%smore\0%d\0" $LABCTL_MARK $((n - LABCTL_MOST))
	' sh {} + || all=1
done
printf "%send" $LABCTL_MARK
exit $all`

// Files implements engine.Actuator. When the context ends first, the container's
// find may go on.
func (e *Engine) Files(ctx context.Context, id string, folders []string) (engine.Listing, error) {
	mark := "labctl-" + rand.Text() + "-"
	script := "set --"
	for _, folder := range folders {
		script += " '" + strings.ReplaceAll(folder, "'", `'\''`) + "'"
	}
	env := []string{
		"LABCTL_MARK=" + mark, "LABCTL_MOST=" + strconv.Itoa(maxListed), "LABCTL_TEXT=" + strconv.Itoa(engine.MaxListedText),
	}
	ended, err := e.Exec(ctx, id, "0", script+"\n"+listing, env)
	if err != nil {
		return engine.Listing{}, err
	}
	if ended.ExitCode == noFind {
		return engine.Listing{}, fmt.Errorf("listing files of container %s: it has no find", id)
	}
	out := listed(ended.Output, mark)
	out.Partial = out.Partial || ended.ExitCode != 0
	return out, nil
}

// listed reads what the script wrote.
func listed(output, mark string) engine.Listing {
	out := engine.Listing{}
	parts := strings.Split(output, mark)
	if parts[len(parts)-1] != "end" {
		out.Partial = true
	} else {
		parts = parts[:len(parts)-1]
	}
	for i, part := range parts {
		if i == 0 && part == "" {
			continue // nothing stands before the first mark
		}
		fields := strings.SplitN(part, "\x00", 3)
		if len(fields) < 3 {
			out.Partial = true
			continue
		}
		n, err := strconv.ParseInt(fields[1], 10, 64)
		if fields[0] == "more" && err == nil {
			out.More += int(n)
			continue
		}
		f := engine.ListedFile{Path: fields[1], Text: fields[2]}
		if f.Size, err = strconv.ParseInt(fields[0], 10, 64); err != nil || f.Size < 0 {
			out.Partial = true // gone, or not to be read
			continue
		}
		if int64(len(f.Text)) != f.Size {
			f.Text = "" // too long, or written to meanwhile
		}
		out.Files = append(out.Files, f)
	}
	slices.SortFunc(out.Files, func(a, b engine.ListedFile) int { return strings.Compare(a.Path, b.Path) })
	return out
}
