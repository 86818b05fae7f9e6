package assignments

import "testing"

func TestSecret(t *testing.T) {
	for text, want := range map[string]bool{
		"password = quiet7": true, "mqtt_pass = quiet7": true, "MQTT_PASSWORD=quiet7": true, "cloud.password=quiet7": true, "api_key = a8f1kz0w": true, "client_secret: a8f1kz0w": true, "psk = 12345678": true,
		"password = changeme": true, "adminPassword = quiet7": true, "password = $PASS": false, "password = ${PASS}": false, "password = %s": false, "password = /run/secret": false,
		"password = required": false, "passwd: files": false, "password_file = quiet7": false, "min_password = 12345": false, "PasswordAuthentication no": false, "permit_empty_password = nono": false,
		"password = $6$ab$cdefgh": false, "password = <your password>": false, "password = xxxxxxxx": false, "bypass = quiet7": false, "password=": false, "pass = ab": false, "compass = north": false,
		"use_psk = quiet7": false, "secret = deadbeef": false, "password = \"Enter your password\"": false,
	} {
		list := Parse("etc/x.conf", []byte(text+"\n"))
		if got := len(list) == 1 && list[0].Secret(); got != want {
			t.Errorf("%s: %v, want %v (%+v)", text, got, want, list)
		}
	}
}
