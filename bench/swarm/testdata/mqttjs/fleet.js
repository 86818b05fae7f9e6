// A fleet as a JavaScript programmer would write it: a client of MQTT.js for each device, and one timer that publishes what is due.
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
  const start = performance.now();
  let sent = 0;
  setInterval(() => {
    for (const due = ((performance.now() - start) * rate) / 1000; sent < due; sent++) {
      const n = sent % conns;
      const id = String(n).padStart(6, "0");
      const seq = String(Math.floor(sent / conns)).padStart(8, "0");
      devices[n].publish(`d/${id}/t`, `${id}:${seq}:${Date.now()}000:${fill}`, { qos });
    }
  }, 1);
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
