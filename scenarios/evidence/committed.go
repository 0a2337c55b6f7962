package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/labctl/labctl/scenarios/lab"
)

// Committed are the files of the last of a lab's commits, sorted by path: what
// the workspace had when start made it, whatever became of that commit since.
func Committed(commits []lab.Commit) []RepoFile {
	at := map[string]RepoFile{}
	for _, c := range commits {
		for _, f := range c.Files {
			file := RepoFile{Path: f.Path, Mode: "100644"}
			content := f.Content
			switch {
			case f.Link != "":
				file.Mode, content = "120000", []byte(f.Link)
			case f.Executable:
				file.Mode = "100755"
			}
			sum := sha256.Sum256(content)
			file.Size, file.SHA256 = int64(len(content)), hex.EncodeToString(sum[:])
			file.Kind, _ = KindOf(bytes.NewReader(content)) // bytes can always be read
			at[f.Path] = file
		}
	}
	files := []RepoFile{}
	for _, f := range at {
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b RepoFile) int { return strings.Compare(a.Path, b.Path) })
	return files
}
