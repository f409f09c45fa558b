// `node check.mjs FILE…` prints what GitHub's own parser finds in workflows and in action.yml.
//
// Exit code 1: at least one problem. Steps that use this action are checked against action.yml.

import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { TextDocument } from "vscode-languageserver-textdocument";
import { parse } from "yaml";

// The parser is made for bundlers: it imports JSON without the attribute that Node demands.
registerHooks({
  load: (url, context, next) =>
    next(url, url.endsWith(".json") ? { ...context, importAttributes: { type: "json" } } : context),
});
const { validate } = await import("@actions/languageservice");

const OWN = "helm-wandb-action";
const [, , manifest, ...workflows] = process.argv;
const own = parse(readFileSync(manifest, "utf8"));

const config = {
  actionsMetadataProvider: {
    // No other action can be looked up: without inputs, none is checked.
    fetchActionMetadata: async ({ name }) => (name === OWN ? own : {}),
  },
};

let problems = 0;
for (const file of [manifest, ...workflows]) {
  const text = readFileSync(file, "utf8");
  const uri = pathToFileURL(resolve(file)).href;
  for (const { message, range } of await validate(TextDocument.create(uri, "yaml", 0, text), config)) {
    problems += 1;
    console.log(`${file}:${range.start.line + 1}:${range.start.character + 1}: ${message}`);
  }
}
process.exitCode = problems ? 1 : 0;
