// A device as many are written: MQTT.js with its defaults, a telemetry timer and a command handler.
const fs = require("fs");
const mqtt = require("mqtt");

const [host, port, ca, id] = process.argv.slice(2);
const base = `shakedown/${id}`;
const client = mqtt.connect({
  host, port: Number(port), protocol: "mqtts", ca: fs.readFileSync(ca), clientId: id, clean: false, keepalive: 10, protocolVersion: 5,
  properties: { sessionExpiryInterval: 3600 },
  will: { topic: `${base}/status`, payload: "offline", qos: 1, retain: true },
});

client.on("connect", () => {
  console.log("connected");
  client.publish(`${base}/status`, "online", { qos: 1, retain: true });
  client.subscribe(`${base}/command`, { qos: 1 });
});
client.on("message", (topic, payload) => {
  const command = JSON.parse(payload);
  console.log("applied", command.id);
  client.publish(`${base}/event`, JSON.stringify({ applied: command.id }), { qos: 1 });
});
client.on("error", (error) => console.log("error:", error.message));

let seq = 0;
setInterval(() => client.publish(`${base}/telemetry`, JSON.stringify({ seq: ++seq, at: new Date() }), { qos: 1 }), 2000);
