package security

import (
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/startup"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// FTPService looks for file servers without encryption that the system starts.
var FTPService = &check.Check{
	ID:       "security.ftp-service",
	Title:    "Starts no FTP or TFTP server",
	Why:      "FTP shows its passwords to everybody on the way, and TFTP has none: whoever reaches the port reads or replaces files.",
	Pass:     "no command that the start reaches runs an FTP or TFTP server",
	Fix:      "Take the server out of the image; send files over HTTPS or SFTP.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.6-1", "CRA:I.2j", "ISTG:FW-CONF-002"},
	Rows:         []string{"SVC-FTP"},
	Sources:      []string{"RFC 2577: FTP Security Considerations", "RFC 1350: TFTP has no login"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("commands that start something", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return len(f.Starts), judgeFTP(f.Starts)
	}),
}

var fileServers = []string{
	"ftpd", "tftpd", "in.ftpd", "in.tftpd", "vsftpd", "proftpd", "pure-ftpd", "bftpd", "stupid-ftpd", "uftpd", "tcpsvd-ftpd", "atftpd", "tnftpd", "wu-ftpd",
}

func judgeFTP(starts []startup.Start) []check.Finding {
	return judgeServers(starts, fileServers, "Starts an FTP or TFTP server")
}
