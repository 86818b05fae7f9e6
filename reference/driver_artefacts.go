package reference

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/reference/certificates"
	"github.com/shakedown-test/shakedown/reference/image"
	"github.com/shakedown-test/shakedown/reference/phone"
)

// The parts that are told from others of their role by name.
const (
	sensorFirmware = "sensor-firmware"
	sensorFlash    = "sensor-flash"
	iosApp         = "ios-app"
)

// ship gives a firmware image, or one of the apps.
func ship(env driver.Env) (driver.Artefact, error) {
	if i := slices.IndexFunc(env.Defects, func(id string) bool { return !known(id) }); i >= 0 {
		return driver.Artefact{}, fmt.Errorf("build reference %s: unknown defect %q", env.Part.Role, env.Defects[i])
	}
	has := func(defect string) bool { return slices.Contains(env.Defects, defect) }
	var (
		file string
		data []byte
		err  error
	)
	switch {
	case env.Part.Path != "": // what it names before it
		file, data = "thermostat-2.0.img", image.Previous()
	case env.Part.Name == sensorFirmware:
		file, data = "sensor.img", image.Sensor(has)
	case env.Part.Name == sensorFlash:
		file, data = "room-sensor.bin", image.SensorFlash(has)
	case env.Part.Role == product.Firmware:
		file, data = "thermostat.img", image.Firmware(has)
	case env.Part.Role == product.Endpoint:
		file = certificates.Address
		data, err = certificates.Sent(env.Clock.Now(), has)
	case env.Part.Name == iosApp:
		file = "thermostat.ipa"
		data, err = phone.IOS(has)
	default:
		file = "thermostat.apk"
		data, err = phone.Android(has)
	}
	if err != nil {
		return driver.Artefact{}, fmt.Errorf("build reference %s: %w", env.Part.Name, err)
	}
	papers := func(path string) fs.FS { return image.Papers(has, env.Clock.Now(), path) }
	return driver.Artefact{File: file, Data: io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))), Folder: papers}, nil
}
