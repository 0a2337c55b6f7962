package enginetest

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"testing"
)

// Rootfs is a root filesystem of the host's static busybox, its shell, and
// the file /answers/hello, as a tar.
func Rootfs() (io.Reader, error) {
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		return nil, fmt.Errorf("these tests need a static busybox (Debian: apt install busybox-static): %w", err)
	}
	return archive(
		File("bin/busybox", 0o755, string(busybox)),
		TarFile{tar.Header{Name: "bin/sh", Typeflag: tar.TypeSymlink, Linkname: "busybox"}, ""},
		File("answers/hello", 0o644, "hello\n"),
		TarFile{tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}, ""},
	)
}

// RootfsChanges configure an image of Rootfs, which serves /answers at 8080.
func RootfsChanges() []string {
	return []string{
		"ENV PATH=/bin",
		"EXPOSE 8080",
		`CMD ["busybox", "httpd", "-f", "-p", "8080", "-h", "/answers"]`,
	}
}

// TarFile is an entry for Tar.
type TarFile struct {
	Header  tar.Header
	Content string
}

// File is a file for Tar.
func File(name string, mode int64, content string) TarFile {
	return TarFile{tar.Header{Name: name, Mode: mode, Size: int64(len(content))}, content}
}

// Tar is an archive of files.
func Tar(t testing.TB, files ...TarFile) io.Reader {
	t.Helper()
	r, err := archive(files...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func archive(files ...TarFile) (io.Reader, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		if err := w.WriteHeader(&f.Header); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, f.Content); err != nil {
			return nil, err
		}
	}
	return &out, w.Close()
}
