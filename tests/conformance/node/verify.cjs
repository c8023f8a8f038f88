// Verify the Sigstore bundles of evidence files with @sigstore/verify, in public-key mode and without network.
//
// Reads one JSON object per line on standard input, {evidence, maker: PEM}, and answers each with one line: "ok" or the
// reason for refusing. Run with NODE_PATH set to where the packages of package.json are installed.
"use strict";

const crypto = require("node:crypto");
const readline = require("node:readline");
const { bundleFromJSON } = require("@sigstore/bundle");
const { Verifier, toSignedEntity } = require("@sigstore/verify");

function check({ evidence, maker }) {
  const key = { publicKey: crypto.createPublicKey(maker), validFor: () => true };
  const material = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [], publicKey: () => key };
  const none = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0, tsaThreshold: 0 };
  const verifier = new Verifier(material, none);
  if (evidence.entries.length === 0) throw new Error("no entries");
  for (const entry of evidence.entries) verifier.verify(toSignedEntity(bundleFromJSON(entry.bundle)));
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  try {
    check(JSON.parse(line));
    console.log("ok");
  } catch (error) {
    console.log(JSON.stringify(`${error.code ?? error.name}: ${error.message}`));
  }
});
