package security

import (
	"testing"

	"github.com/shakedown-test/shakedown/firmware/mcu"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

func TestJudgeESPSignatures(t *testing.T) {
	held := mcu.ESPSignature{Scheme: "v2, ECDSA P-256", KeyDigest: "0123456789abcdef01", SPKI: []byte{1}, Fits: true}
	broken := held
	broken.Fits = false
	first := mcu.ESPSignature{Scheme: "v1, ECDSA P-256"} // it tells no key to verify it with
	for name, c := range map[string]struct {
		images [][]mcu.ESPSignature
		want   int
	}{
		"signed":                       {[][]mcu.ESPSignature{{held}, {held, held}}, 0},
		"two not signed":               {[][]mcu.ESPSignature{{held}, nil, nil}, 1},
		"broken":                       {[][]mcu.ESPSignature{{broken}}, 1},
		"one of two keys is rolled on": {[][]mcu.ESPSignature{{broken, held}}, 0},
		"v1":                           {[][]mcu.ESPSignature{{first}}, 0},
	} {
		var nodes []*tree.Node
		var images []*mcu.ESPImage
		for _, s := range c.images {
			nodes, images = append(nodes, &tree.Node{Name: "app"}), append(images, &mcu.ESPImage{Signatures: s})
		}
		if got := judgeESPSignatures(nodes, images); len(got) != c.want {
			t.Errorf("%s: %v, want %d findings", name, got, c.want)
		}
	}
}

func TestJudgeNVS(t *testing.T) {
	text := func(key, value string, deleted bool) mcu.NVSItem {
		return mcu.NVSItem{Namespace: "n", Key: key, Type: "string", Value: []byte(value), Deleted: deleted}
	}
	for name, c := range map[string]struct {
		items []mcu.NVSItem
		want  int
	}{
		"nothing":          {nil, 0},
		"settings":         {[]mcu.NVSItem{text("language", "german", false), text("bypass", "valve", false), text("keyboard", "qwertz", false)}, 0},
		"a password":       {[]mcu.NVSItem{text("wifi_password", "hunter22", false)}, 1},
		"of the Wi-Fi":     {[]mcu.NVSItem{{Namespace: "nvs.net80211", Key: "sta.pswd", Type: "blob", Value: append([]byte("hunter22"), make([]byte, 57)...)}}, 1},
		"an empty field":   {[]mcu.NVSItem{{Namespace: "nvs.net80211", Key: "sta.pswd", Type: "blob", Value: make([]byte, 65)}}, 0},
		"a number":         {[]mcu.NVSItem{{Key: "token_ttl", Type: "u32", Value: []byte{1, 2, 3, 4}}}, 0},
		"there and before": {[]mcu.NVSItem{text("psk", "hunter22", false), text("psk", "hunter21", true)}, 2},
	} {
		if got := judgeNVS(&tree.Node{Name: "nvs"}, &mcu.NVS{Items: c.items}); len(got) != c.want {
			t.Errorf("%s: %v, want %d findings", name, got, c.want)
		}
	}
}

func TestJudgeSigningKeys(t *testing.T) {
	const sample, own = "e30466f6b8470c1f29070b17f1e2d3e94d445e3f608087fdc711e4382bb538b6", "00466f6b8470c1f29070b17f1e2d3e94d445e3f608087fdc711e4382bb538b6e3"
	for name, c := range map[string]struct {
		image            mcu.MCUboot
		looked, findings int
	}{
		"own":        {mcu.MCUboot{Signatures: []string{"ECDSA"}, KeyHash: own}, 1, 0},
		"sample":     {mcu.MCUboot{Signatures: []string{"ECDSA"}, KeyHash: sample}, 1, 1},
		"not signed": {mcu.MCUboot{}, 0, 0},
		"not told":   {mcu.MCUboot{Signatures: []string{"ECDSA"}}, 0, 0},
	} {
		if looked, got := judgeSigningKeys([]*tree.Node{{Name: "it"}}, []*mcu.MCUboot{&c.image}); looked != c.looked || len(got) != c.findings {
			t.Errorf("%s: looked at %d, %v", name, looked, got)
		}
	}
}

func TestJudgeDebugPorts(t *testing.T) {
	for name, c := range map[string]struct {
		at               uint32
		word             []byte
		looked, findings int
	}{
		"nRF52, closed":            {0x10001208, []byte{0, 0xFF, 0xFF, 0xFF}, 1, 0},
		"nRF52, open":              {0x10001208, []byte{0x5A, 0xFF, 0xFF, 0xFF}, 1, 1},
		"nRF52, old and open":      {0x10001208, []byte{0xFF, 0xFF, 0xFF, 0xFF}, 1, 1},
		"STM32F1, open":            {0x1FFFF800, []byte{0xA5, 0x5A, 0xFF, 0}, 1, 1},
		"STM32F0, open":            {0x1FFFF800, []byte{0xAA, 0x55, 0xFF, 0}, 1, 1},
		"STM32F0, level 1":         {0x1FFFF800, []byte{0xBB, 0x44, 0xFF, 0}, 1, 0},
		"no complement":            {0x1FFFF800, []byte{0xAA, 0xAA, 0xFF, 0}, 0, 0},
		"STM32F4, open":            {0x1FFFC000, []byte{0xED, 0xAA, 0xFF, 0xFF}, 1, 1},
		"somewhere else":           {0x08000000, []byte{0xFF, 0xFF, 0xFF, 0xFF}, 0, 0},
		"nRF52, half of the word":  {0x10001208, []byte{0xFF, 0xFF}, 0, 0},
		"STM32F4, protected":       {0x1FFFC000, []byte{0xED, 0x55, 0xFF, 0xFF}, 1, 0},
		"nRF52, another protected": {0x10001208, []byte{0x01, 0, 0, 0}, 1, 0},
	} {
		m := &mcu.Memory{Regions: []mcu.Region{{Address: c.at, Data: c.word}}}
		if looked, got := judgeDebugPorts([]*tree.Node{{Name: "it"}}, []*mcu.Memory{m}); looked != c.looked || len(got) != c.findings {
			t.Errorf("%s: looked at %d, %v", name, looked, got)
		}
	}
}
