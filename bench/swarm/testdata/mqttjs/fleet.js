// A fleet as a JavaScript programmer would write it: a client of MQTT.js for each device, which publishes at its pace, from a phase of its own.
const mqtt = require("mqtt");

const [to, conns, rate, qos, seconds] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const [host, port] = to.split(":");
const fill = "x".repeat(128 - 33);

async function main() {
  const devices = [];
  for (let n = 0; n < conns; n++) {
    const clientId = "device-" + String(n).padStart(6, "0");
    devices.push(await mqtt.connectAsync({ host, port: Number(port), clientId, keepalive: 60, reconnectPeriod: 0 }));
  }
  setTimeout(() => process.exit(0), seconds * 1000);
  if (rate === 0) return;
  const every = (conns / rate) * 1000;
  devices.forEach((device, n) => {
    const id = String(n).padStart(6, "0");
    let seq = 0;
    setTimeout(() => {
      setInterval(() => {
        device.publish(`d/${id}/t`, `${id}:${String(seq++).padStart(8, "0")}:${Date.now()}000:${fill}`, { qos });
      }, every);
    }, (every * n) / conns);
  });
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
