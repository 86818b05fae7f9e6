// Package firmware opens what makers ship: firmware images, dumps of flash, app packages. Its packages hold the readers of formats, by
// the sort of thing that is read; package tree is what they write against.
package firmware

import (
	"context"
	"io"
	"slices"

	"github.com/shakedown-test/shakedown/firmware/archive"
	"github.com/shakedown-test/shakedown/firmware/boot"
	"github.com/shakedown-test/shakedown/firmware/compress"
	"github.com/shakedown-test/shakedown/firmware/disk"
	"github.com/shakedown-test/shakedown/firmware/elf"
	"github.com/shakedown-test/shakedown/firmware/flash"
	"github.com/shakedown-test/shakedown/firmware/mcu"
	"github.com/shakedown-test/shakedown/firmware/ota"
	"github.com/shakedown-test/shakedown/firmware/squash"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Formats are all that are opened, those with a magic before those without.
var Formats = slices.Concat(
	boot.Formats,
	squash.Formats,
	archive.Formats,
	compress.Formats,
	disk.Formats,
	flash.Formats,
	elf.Formats,
	ota.Formats,
	mcu.Formats,
)

// Open finds out what is in an artefact; see tree.Open.
func Open(ctx context.Context, name string, data *io.SectionReader, limits tree.Limits) (*tree.Opened, error) {
	return tree.Open(ctx, name, data, Formats, limits)
}
