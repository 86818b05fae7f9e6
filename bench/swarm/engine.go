//go:build linux

package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"

	"github.com/shakedown-test/shakedown/fleet"
	"github.com/shakedown-test/shakedown/product"
)

// engine plays a fleet without the program around it.
func engine(s setup) error {
	src, err := os.ReadFile(s.File)
	if err != nil {
		return err
	}
	f, err := product.LoadFleet(s.File, src, product.Known{})
	if err != nil {
		return err
	}
	job := fleet.Job{
		Target: fleet.Target{Scheme: product.Protocol(s.Scheme), Host: s.To, Path: "/"},
		Fleet:  f, To: f.Devices, For: s.For, Seed: 1, Shape: "steady", Watch: s.Watch,
	}
	if s.Roots != "" {
		pem, err := os.ReadFile(s.Roots)
		if err != nil {
			return err
		}
		job.Target.Roots = x509.NewCertPool()
		job.Target.Roots.AppendCertsFromPEM(pem)
	}
	record, err := fleet.Do(context.Background(), job, nil)
	if err != nil {
		return err
	}
	out, err := os.Create(filepath.Join(s.Out, "record.json"))
	if err != nil {
		return fmt.Errorf("write the record: %w", err)
	}
	defer out.Close()
	return record.JSON(out)
}
