// Runs the topology until it is killed. Arguments: bootstrap, application id, prefix of the topics, state directory, settings as JSON.
import process from "node:process";
import { KafkaStreams } from "../../lib/streams.ts";

const [bootstrap, application, prefix, stateDir, settings = "{}"] = process.argv.slice(2);
// By its address: threads beyond the first are Workers, which load it themselves.
const streams = new KafkaStreams({ url: new URL("./kill_topology.ts", import.meta.url).href }, {
  "application.id": application,
  "bootstrap.servers": bootstrap,
  "processing.guarantee": "exactly_once_v2",
  "commit.interval.ms": 100,
  "statestore.cache.max.bytes": 100_000,
  "replication.factor": 1,
  "state.dir": stateDir,
  "producer.linger.ms": 5,
  "session.timeout.ms": 10_000,
  "app.prefix": prefix,
  "log.level": "info",
  "log.format": "json",
  ...JSON.parse(settings) as Record<string, unknown>,
});
streams.onStateChange((state) => console.log(`state ${state}`));
process.on("SIGTERM", async () => {
  await streams.close();
  console.log("closed");
  process.exit(0);
});
await streams.start();
