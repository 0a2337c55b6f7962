package workspace

import (
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/labctl/labctl/scenarios/lab"
)

// What a commit without an author or a date gets. Both are fixed, so that a
// lab's commits have the same IDs for everybody.
const (
	defaultAuthor = "labctl <labctl@labctl.invalid>"
	defaultDate   = "2024-01-01T00:00:00Z"
)

// writeCommit writes one commit in the format of git fast-import, laid over
// the one before.
func writeCommit(w *strings.Builder, c lab.Commit) error {
	person, err := signature(c)
	if err != nil {
		return err
	}
	message := strings.TrimRight(c.Message, "\n") + "\n"
	fmt.Fprintf(w, "commit refs/heads/%s\nauthor %s\ncommitter %s\n", Branch, person, person)
	writeData(w, message)
	for _, file := range c.Files {
		if err := checkPath(file.Path); err != nil {
			return err
		}
		mode, content := modeFile, string(file.Content)
		switch {
		case file.Link != "":
			mode, content = modeLink, file.Link
		case file.Executable:
			mode = modeExecutable
		}
		fmt.Fprintf(w, "M %s inline %s\n", mode, quote(file.Path))
		writeData(w, content)
	}
	return nil
}

// signature is who made a commit and when, as git writes it.
func signature(c lab.Commit) (string, error) {
	author, date := c.Author, c.Date
	if author == "" {
		author = defaultAuthor
	}
	if date == "" {
		date = defaultDate
	}
	who, err := mail.ParseAddress(author)
	if err != nil || strings.ContainsAny(author, "\r\n\x00") {
		return "", fmt.Errorf("author %q is not a \"name <address>\"", author)
	}
	when, err := time.Parse(time.RFC3339, date)
	if err != nil {
		return "", fmt.Errorf("date %q is not in RFC 3339, as 2023-03-06T10:12:00Z is: %w", date, err)
	}
	return fmt.Sprintf("%s <%s> %d %s", strings.Map(plain, who.Name), who.Address, when.Unix(), when.Format("-0700")), nil
}

func writeData(w *strings.Builder, content string) {
	fmt.Fprintf(w, "data %d\n%s\n", len(content), content)
}

// quote writes a path as git does in C's notation, so that no byte of it can
// end the line.
func quote(path string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(path) {
		switch c := path[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, "\\%03o", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
