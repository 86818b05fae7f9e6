"""A device as many are written: paho-mqtt with its defaults, a telemetry loop and a command handler."""
import json
import sys
import time

import paho.mqtt.client as mqtt

host, port, ca, device_id = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
base = "shakedown/" + device_id


def on_connect(client, userdata, flags, rc):
    print("connected", rc, flush=True)
    client.subscribe(base + "/command", qos=1)


def on_message(client, userdata, message):
    command = json.loads(message.payload)
    print("applied", command["id"], flush=True)
    client.publish(base + "/event", json.dumps({"applied": command["id"]}), qos=1)


client = mqtt.Client(client_id=device_id, clean_session=False)
client.tls_set(ca_certs=ca)
client.will_set(base + "/status", "offline", qos=1, retain=True)
client.on_connect = on_connect
client.on_message = on_message
client.reconnect_delay_set(min_delay=1, max_delay=32)
while True:  # the first connection is the program's own business in paho
    try:
        client.connect(host, port, keepalive=10)
        break
    except OSError as error:
        print("cannot connect:", error, flush=True)
        time.sleep(2)
client.loop_start()
client.publish(base + "/status", "online", qos=1, retain=True)
seq = 0
while True:
    seq += 1
    client.publish(base + "/telemetry", json.dumps({"seq": seq, "at": time.time()}), qos=1)
    time.sleep(2)
