import { describePipeline, loadPipeline, type PipelineInfo } from "../../jobs/pipelines.ts";
import type { JsonValue } from "../../model/features.ts";
import { PIPELINES } from "../../pipelines/registry.ts";
import type { Command } from "../command.ts";

export const pipelines: Command = {
  name: "pipelines",
  summary: "List the pipelines, or describe one",
  usage: "[NAME]",
  arguments: [0, 1],
  options: {},
  examples: ["tilth pipelines", "tilth pipelines land-cover"],
  async run({ positionals }) {
    const names = positionals[0] === undefined ? Object.keys(PIPELINES) : [positionals[0]];
    const described: PipelineInfo[] = [];
    for (const name of names) described.push(await describePipeline(await loadPipeline(name)));
    const lines =
      positionals[0] === undefined
        ? described.map(({ name, title, shape }) => `${name.padEnd(22)} ${title} (${shape})`)
        : described.flatMap(page);
    return { outputs: [], summary: { pipelines: described as unknown as JsonValue }, warnings: [], lines };
  },
};

function page(info: PipelineInfo): string[] {
  const lines = [
    `${info.name} ${info.version}: ${info.title} (${info.shape})`,
    "",
    info.question,
    "",
    "Inputs",
  ];
  for (const { name, title, expects, optional } of info.inputs) {
    lines.push(`  ${name.padEnd(14)} ${title}: ${expects}${optional === true ? " (optional)" : ""}`);
  }
  lines.push("", "Parameters");
  for (const parameter of info.parameters) {
    const fallback = parameter.default === undefined ? "" : `, default ${JSON.stringify(parameter.default)}`;
    lines.push(
      `  ${parameter.name.padEnd(14)} ${parameter.type}${parameter.required ? ", required" : fallback}`,
    );
    if (parameter.description !== "") lines.push(`  ${" ".repeat(14)} ${parameter.description}`);
  }
  lines.push("", "Outputs");
  for (const { name, title, columns } of info.outputs) {
    lines.push(`  ${name}: ${title}`);
    for (const { name: column, unit, meaning } of columns ?? [])
      lines.push(`    ${column} (${unit}): ${meaning}`);
  }
  lines.push("", "Sources", ...info.sources.map((source) => `  ${source}`));
  return lines;
}
