package cleanroom

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/labctl/labctl/scenarios/evidence"
	"github.com/labctl/labctl/scenarios/lab"
)

// largestUnpacked is how many bytes an archive may hold that ADD unpacks.
// Engines go on unpacking when they are told to stop, so that neither the time
// nor the disk that is left would hold one that was made to fill it.
const largestUnpacked = 1 << 30

// checkUnpacked refuses archives that are larger than they look, where the
// Dockerfile has an ADD that may unpack them.
func checkUnpacked(files []lab.File, d *dockerfile) error {
	if !d.adds {
		return nil
	}
	for _, f := range files {
		if unpacksBeyond(f.Content, largestUnpacked) {
			return refuse(0, "%s unpacks to more than %d MiB, and ADD would unpack it: leave it out, or commit what is needed of it as files", f.Path, largestUnpacked>>20)
		}
	}
	return nil
}

// unpacksBeyond reports whether a compressed file is larger than so many bytes.
// What is damaged is as large as could be read.
func unpacksBeyond(content []byte, most int64) bool {
	kind, err := evidence.KindOf(bytes.NewReader(content))
	if err != nil {
		return false // of bytes in memory there is none
	}
	var in io.Reader
	switch kind {
	case "gzip":
		in, err = gzip.NewReader(bytes.NewReader(content))
	case "bzip2":
		in = bzip2.NewReader(bytes.NewReader(content))
	case "zstd":
		var z *zstd.Decoder
		if z, err = zstd.NewReader(bytes.NewReader(content), zstd.WithDecoderConcurrency(1)); err == nil {
			defer z.Close()
		}
		in = z
	default:
		return false
	}
	if err != nil {
		return false
	}
	n, _ := io.CopyN(io.Discard, in, most+1)
	return n > most
}
