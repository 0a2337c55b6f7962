package lab

// DerivedCheats names the ways of faking a rebuild that labctl test derives
// from a lab's start and right scenario, family by family. Package proof makes
// them, and holds its list to this one.
var DerivedCheats = []string{
	"pet-exec", "pet-exec-kept", "pet-copy-in", "pet-restart", "pet-rename", "pet-memory",
	"fresh-exec", "fresh-exec-kept", "fresh-copy-in", "fresh-restart", "fresh-rename", "fresh-memory", "fresh-created",
	"commit", "commit-looks-built", "export-import", "save-load", "from-the-pet", "tar-on-scratch", "tar-on-the-base",
	"bind-mount", "named-volume", "environment", "command", "entrypoint", "health-command",
	"uncommitted", "moved-on", "poisoned-base", "poisoned-cache", "fetched-by-run", "fetched-by-add",
	"other-port", "shared-network",
}

// HonestWays names the ways of rebuilding that must get all points.
var HonestWays = []string{
	"plain", "other-tag", "no-cache", "buildkit", "multi-stage", "multi-stage-scratch",
	"umask-002", "umask-022", "umask-027", "umask-077", "rebuilt-twice",
	"other-branch", "amended", "squashed", "untracked-note", "commit-after",
	"compose", "restart-policy", "labels", "names", "init", "less-memory", "read-only", "any-address", "network-id", "pet-stopped",
}
