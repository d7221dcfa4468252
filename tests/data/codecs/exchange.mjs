// Reads payloads in the formats that its input names, and writes the same values: as other programs do.
import { readFileSync } from "node:fs";
import { decode, encode } from "@msgpack/msgpack";
import avro from "avsc";
import { Decoder, Encoder } from "cbor-x";
import protobuf from "protobufjs";

const { folder, payloads } = JSON.parse(readFileSync(0, "utf8"));
const root = new protobuf.Root();
root.resolvePath = (_, target) =>
  target.startsWith("google/") ? target : `${folder}/${target.replace(`${folder}/`, "")}`;
root.loadSync(`${folder}/market.proto`, { keepCase: true });
const Price = root.lookupType("market.Price");
const plain = { longs: String, enums: String, bytes: String };
const schema = avro.Type.forSchema(JSON.parse(readFileSync(`${folder}/price.avsc`)));
const bytes = (text) => Buffer.from(text, "base64");
const value = { id: 7, symbol: "BTC-ü", levels: [1.5, 2, null, true], raw: Buffer.from([0, 255]) };
const price = {
  symbol: "BTC",
  id: 2 ** 40,
  side: 1,
  raw: Buffer.from([0, 255]),
  at: { seconds: 1767225600, nanos: 500000000 },
  bids: [{ price: 1.5, size: 0.1 }],
  levels: { 5: { price: 2 } },
  change: -3,
  next: { symbol: "ETH" },
};
const record = {
  symbol: "BTC",
  price: 1.5,
  at: 1767225600000,
  side: "SELL",
  raw: { bytes: Buffer.from([0, 255]) },
  sizes: [0.5],
};
const unwrapped = { ...record, raw: Buffer.from([0, 255]) };
const ofSchema = schema.isValid(unwrapped) ? unwrapped : record;
const written = {
  msgpack: encode(value),
  cbor: new Encoder({ useRecords: false }).encode(value),
  protobuf: Price.encode(Price.fromObject(price)).finish(),
  avro: schema.toBuffer(ofSchema),
};
const read = {
  msgpack: decode(bytes(payloads.msgpack)),
  cbor: new Decoder({ useRecords: false }).decode(bytes(payloads.cbor)),
  protobuf: Price.toObject(Price.decode(bytes(payloads.protobuf)), plain),
  avro: schema.fromBuffer(bytes(payloads.avro)),
};
const spelled = (_, item) => (item instanceof Uint8Array ? [...item] : item);
const text = Object.fromEntries(
  Object.entries(written).map(([name, data]) => [name, Buffer.from(data).toString("base64")]),
);
process.stdout.write(JSON.stringify({ written: text, read }, spelled));
