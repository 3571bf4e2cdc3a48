// A server that speaks S3, on a port of its own: prints its address, and serves until its standard input ends.
import S3rver from "s3rver";

const [directory, bucket] = process.argv.slice(2);
const server = new S3rver({ address: "127.0.0.1", port: 0, directory, silent: true, configureBuckets: [{ name: bucket }] });
const { address, port } = await server.run();
console.log(`http://${address}:${port}`);
process.stdin.on("end", () => process.exit(0)).resume();
