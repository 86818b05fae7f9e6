package cli

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/sbom"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/report"
)

// inspectFlags are the flags of inspect.
type inspectFlags struct {
	runFlags
	launch, support string
	beside
}

// beside is what is given beside the files.
type beside struct {
	against, sbom, data string
	vex                 []string
}

func (a *app) inspectCommand() *cobra.Command {
	var f inspectFlags
	c := &cobra.Command{
		Use:   "inspect FILE|ENDPOINT…",
		Short: "Look into firmware images, app packages and what endpoints send",
		Long: `Opens what a maker ships, as deep as it is packed, and looks for what will hurt
after launch: passwords, keys and tokens, debug services, updates without
protection, weak binaries, dead components, certificates that will expire,
permissions that the next phone OS will refuse.

Firmware images, dumps of flash, app packages (apk, aab, ipa) and endpoints can
be mixed. An endpoint is written as tls://host:port, https://host, wss://host or
mqtts://host: it is asked for its certificates by a TLS handshake, and nothing
else is sent to it.

Several files are also compared with each other: what two units or two models
share must not be a secret. Nothing of them is run, and nothing is written
outside the run folder but temporary files without a name.

With --against, what changed since that file is told, and nothing is judged of
it. Of exactly two firmware images, or two app packages, the first is taken for
the version before: inspect OLD NEW. Both are judged then.

--format contents prints what lies where in the files, and judges nothing; so do
--format cyclonedx and --format spdx, which write a bill of materials of one
file.

The exit codes are those of run.`,
		Example: `  shakedown inspect router.bin
  shakedown inspect unit-1.bin unit-2.bin app-release.apk --launch 2027-03-01
  shakedown inspect router.bin mqtts://broker.example.com https://updates.example.com
  shakedown inspect router-2.1.bin --against router-2.0.bin
  shakedown inspect router.bin --data lists --sbom router.cdx.json
  shakedown inspect router.bin --format contents`,
		Args: arguments(1, math.MaxInt),
		RunE: func(cmd *cobra.Command, args []string) error { return a.inspect(cmd.Context(), args, f) },
	}
	fl := c.Flags()
	fl.StringSliceVar(&f.only, "only", nil, "only these `checks`: ids, or their beginnings such as security.key")
	fl.StringSliceVar(&f.skip, "skip", nil, "not these `checks`: ids, or their beginnings")
	fl.StringVar(&f.launch, "launch", "", "`day` on which the product is launched, as 2027-03-01 (default: today)")
	fl.StringVar(&f.support, "support-until", "", "`day` on which its support ends")
	fl.StringVar(&f.against, "against", "", "`file` that users have now: tell what changed since")
	fl.StringVar(&f.sbom, "sbom", "", "`file` with the bill of materials, CycloneDX or SPDX in JSON, to hold the contents against")
	fl.StringSliceVar(&f.vex, "vex", nil, "`files` with statements on vulnerabilities, CycloneDX, OpenVEX or CSAF in JSON")
	fl.StringVar(&f.data, "data", "", "`folder` with newer lists: catalogue of CISA, endoflife.date, OSV, as JSON")
	fl.StringVar(&f.out, "out", "", "run `folder` (default shakedown-run-TIME in this folder)")
	fl.BoolVar(&f.keepSecrets, "keep-secrets", false, "do not blank passwords, tokens and keys in what is written")
	fl.Uint64Var(&f.seed, "seed", 0, "`number` that is written down as the run's seed; files are judged without chance")
	formats(c, &f.format, "json", "contents", "cyclonedx", "spdx")
	complete(c, "only", a.checkIDs())
	complete(c, "skip", a.checkIDs())
	return c
}

func (a *app) inspect(ctx context.Context, files []string, f inspectFlags) error {
	if err := missing(append(slices.DeleteFunc([]string{f.against, f.sbom}, func(s string) bool { return s == "" }), slices.Concat(f.vex, files)...)); err != nil {
		return err
	}
	if f.format == "contents" {
		return a.contents(ctx, files)
	}
	if f.format == "cyclonedx" || f.format == "spdx" {
		return a.materials(ctx, files, f.format)
	}
	src, err := shipped(files, f.launch, f.support, f.beside, a.withoutArtefacts())
	if err != nil {
		return failed(err)
	}
	p, err := a.parse("the files", src)
	if err != nil {
		return err
	}
	f.repeat = 1
	o, err := a.options(p, "", f.runFlags)
	if err != nil {
		return err
	}
	o.Risks = ofArtefacts(a.risks)
	o.File = strings.Join(files, ", ")
	o.Command = "shakedown inspect " + strings.Join(quoted(append(slices.Clone(files), f.words()...)), " ")
	return a.begin(ctx, o, src, f.runFlags)
}

// contents prints what lies where in files.
func (a *app) contents(ctx context.Context, files []string) error {
	for _, file := range files {
		part := product.Part{Name: file, Driver: "file", Path: strings.NewReplacer("{", "{open}").Replace(file)}
		if product.IsEndpoint(file) {
			part = product.Part{Name: file, Driver: "endpoint", Address: file}
		}
		source, err := driver.OpenArtefact(a.kinds, driver.Env{Part: part, Values: map[string]string{"open": "{"}})
		if err != nil {
			return usage(err)
		}
		facts, err := artefact.Examine(ctx, artefact.Source{Part: file, File: file, Data: source.Data, Close: source.Close})
		if err != nil {
			return failed(err)
		}
		err = report.Contents(a.Stdout, facts.Outline(1_000_000, true))
		facts.Close()
		if err != nil {
			return failed(fmt.Errorf("print the contents: %w", err))
		}
	}
	return nil
}

// ofArtefacts leaves of the risks the checks that judge artefacts.
func ofArtefacts(risks []check.Risk) []check.Risk {
	risks = slices.Clone(risks)
	for i := range risks {
		risks[i].Checks = slices.DeleteFunc(slices.Clone(risks[i].Checks), func(c *check.Check) bool {
			return !c.Needs.Real.Artefact() && c.Needs.Real != product.Artefact && c.Needs.Real != product.Inspected
		})
	}
	return risks
}

// withoutArtefacts are the risks that no file shows anything of.
func (a *app) withoutArtefacts() (ids []string) {
	for _, r := range ofArtefacts(a.risks) {
		if len(r.Checks) == 0 {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

var unfit = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// shipped is the product file of a product that is nothing but these files.
func shipped(files []string, launch, support string, with beside, excluded []string) ([]byte, error) {
	parts := yaml.MapSlice{}
	taken := map[string]bool{}
	var names []string
	for _, file := range files {
		kind := "file"
		if product.IsEndpoint(file) {
			kind = "endpoint"
		}
		names = append(names, filepath.Base(file))
		name := kind + "-" + strings.Trim(unfit.ReplaceAllString(filepath.Base(file), "-"), "-")
		for n := 2; taken[name]; n++ {
			name = strings.TrimSuffix(name, "-"+strconv.Itoa(n-1)) + "-" + strconv.Itoa(n)
		}
		taken[name] = true
		if kind == "endpoint" {
			parts = append(parts, yaml.MapItem{Key: name, Value: yaml.MapSlice{
				{Key: "role", Value: string(product.Endpoint)}, {Key: "driver", Value: "endpoint"}, {Key: "address", Value: file},
			}})
			continue
		}
		role := roleOf(file)
		part := yaml.MapSlice{{Key: "role", Value: string(role)}, {Key: "driver", Value: "file"}, {Key: "path", Value: file}}
		parts = append(parts, yaml.MapItem{Key: name, Value: append(part, with.keys(before(files, file))...)})
	}
	p := yaml.MapSlice{{Key: "product", Value: strings.Join(names, ", ")}}
	if launch != "" {
		p = append(p, yaml.MapItem{Key: "launch", Value: launch})
	}
	p = append(p, yaml.MapItem{Key: "parts", Value: parts})
	if support != "" {
		p = append(p, yaml.MapItem{Key: "declared", Value: yaml.MapSlice{{Key: "support_until", Value: support}}})
	}
	var left []yaml.MapSlice
	for _, risk := range excluded {
		left = append(left, yaml.MapSlice{{Key: "risk", Value: risk}, {Key: "reason", Value: "files show nothing of it"}})
	}
	if len(left) > 0 {
		p = append(p, yaml.MapItem{Key: "exclude", Value: left})
	}
	return yaml.Marshal(p)
}

// keys are those that the product file has for what is given beside a file, which follows the file before, if there is one.
func (b beside) keys(before string) (keys yaml.MapSlice) {
	if b.against != "" {
		before = b.against
	}
	for _, k := range []yaml.MapItem{{Key: "previous", Value: before}, {Key: "sbom", Value: b.sbom}, {Key: "data", Value: b.data}} {
		if k.Value != "" {
			keys = append(keys, k)
		}
	}
	if len(b.vex) > 0 {
		keys = append(keys, yaml.MapItem{Key: "vex", Value: b.vex})
	}
	return keys
}

// words are the flags by which it was given.
func (b beside) words() (words []string) {
	flags := [][2]string{{"--against", b.against}, {"--sbom", b.sbom}, {"--data", b.data}}
	for _, file := range b.vex {
		flags = append(flags, [2]string{"--vex", file})
	}
	for _, f := range flags {
		if f[1] != "" {
			words = append(words, f[0], f[1])
		}
	}
	return words
}

// before is the first of exactly two files, of the second: inspect OLD NEW. Of more, nobody knows which came before which.
func before(files []string, file string) string {
	if len(files) == 2 && file == files[1] && files[0] != files[1] && !product.IsEndpoint(files[0]) && roleOf(files[0]) == roleOf(file) {
		return files[0]
	}
	return ""
}

// roleOf tells an app package from a firmware image by its name.
func roleOf(file string) product.Role {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".apk", ".aab", ".ipa", ".apks", ".xapk":
		return product.Package
	}
	return product.Firmware
}

// materials writes a bill of materials of a file.
func (a *app) materials(ctx context.Context, files []string, format string) error {
	if len(files) > 1 || product.IsEndpoint(files[0]) {
		return usage(fmt.Errorf("inspect --format %s: it is of one file\nhint: call it once for each", format))
	}
	part := product.Part{Name: files[0], Driver: "file", Path: strings.NewReplacer("{", "{open}").Replace(files[0])}
	source, err := driver.OpenArtefact(a.kinds, driver.Env{Part: part, Values: map[string]string{"open": "{"}})
	if err != nil {
		return usage(err)
	}
	facts, err := artefact.Examine(ctx, artefact.Source{Part: files[0], Role: roleOf(files[0]), File: source.File, Data: source.Data, Close: source.Close})
	if err != nil {
		return failed(err)
	}
	defer facts.Close()
	subject, items := facts.Materials()
	write := sbom.CycloneDX
	if format == "spdx" {
		write = sbom.SPDX
	}
	if err := write(a.Stdout, subject, items); err != nil {
		return failed(err)
	}
	return nil
}

// quoted are words as a shell takes them.
func quoted(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w
		if strings.ContainsAny(w, " \t\n'\"$`\\*?[](){}<>|&;!#~") {
			out[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return out
}

// missing says which of the files are not there, before anything is begun.
func missing(files []string) error {
	for _, file := range files {
		if product.IsEndpoint(file) {
			continue
		}
		if info, err := os.Stat(file); err != nil {
			return usage(fmt.Errorf("inspect %s: %w", file, err))
		} else if info.IsDir() {
			return usage(fmt.Errorf("inspect %s: it is a folder\nhint: name files; pack a folder: tar cf folder.tar %s", file, file))
		}
	}
	return nil
}
