// Package evidence keeps what was seen: the append-only log of each job, redaction, and the run folder on disk.
package evidence
