package cleanroom

import (
	"runtime"
	"strings"
)

// hostPlatform is the platform of an engine on this machine.
func hostPlatform() string { return "linux/" + runtime.GOARCH }

// samePlatform tells whether a --platform asks for what the engine is anyway.
func samePlatform(asked, engine string) bool {
	return plainPlatform(asked) == plainPlatform(engine)
}

var sameArchitecture = map[string]string{"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}

// plainPlatform spells a platform as os/architecture.
func plainPlatform(platform string) string {
	os, arch, ok := strings.Cut(strings.ToLower(platform), "/")
	if !ok {
		os, arch = "linux", os
	}
	arch = strings.TrimSuffix(arch, "/v8") // arm64 has no other
	if plain, ok := sameArchitecture[arch]; ok {
		arch = plain
	}
	return os + "/" + arch
}

// platformArgs are the build arguments that a builder sets by itself.
func platformArgs(platform string) []string {
	os, arch, _ := strings.Cut(platform, "/")
	var args []string
	for _, side := range []string{"BUILD", "TARGET"} {
		args = append(args, side+"PLATFORM="+platform, side+"OS="+os, side+"ARCH="+arch, side+"VARIANT=")
	}
	return args
}
