package cleanroom

import "strings"

// aliases begins every tag that clean rooms make.
const aliases = "labctl-cleanroom/"

// UsedBy is the instance whose clean room gave an image this tag; "" when none
// did. As long as it has the tag, somebody may be building on the image.
func UsedBy(tag string) string {
	name, is := strings.CutPrefix(tag, aliases)
	if !is {
		return ""
	}
	instance, _, _ := strings.Cut(name, ":")
	return instance
}
