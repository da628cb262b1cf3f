// Applies the units, thresholds, colours, names and links of a panel to its data, as Grafana does.

import {
  FieldConfigOptionsRegistry, applyFieldOverrides, cacheFieldDisplayNames,
  dataLinksOverrideProcessor, displayNameOverrideProcessor, identityOverrideProcessor,
  standardTransformers, standardTransformersRegistry, thresholdsOverrideProcessor,
  transformDataFrame, valueMappingsOverrideProcessor,
} from "@grafana/data";
import { lastValueFrom } from "rxjs";

// A set, as one of them stands there under its former name too.
const TRANSFORMERS = [...new Set(Object.values(standardTransformers))];

standardTransformersRegistry.setInit(() => TRANSFORMERS.map((each) =>
  ({ id: each.id, name: each.name, transformation: () => Promise.resolve(each), editor: () => null })));

const STANDARD = {
  unit: null, min: null, max: null, decimals: null, color: null, noValue: null, filterable: null,
  description: null, fieldMinMax: null,
  displayName: displayNameOverrideProcessor,
  links: dataLinksOverrideProcessor,
  mappings: valueMappingsOverrideProcessor,
  thresholds: thresholdsOverrideProcessor,
};

const THRESHOLDS = {
  mode: "absolute", steps: [{ value: null, color: "green" }, { value: 80, color: "red" }],
};

export async function transformed(panel, frames) {
  const wanted = (panel.transformations ?? []).filter(({ disabled }) => !disabled);
  const unknown = wanted.filter(({ id }) => !standardTransformersRegistry.getIfExists(id));
  if (unknown.length) throw Error(`unknown transformation ${unknown.map(({ id }) => id)}`);
  return lastValueFrom(transformDataFrame(wanted, frames, { interpolate: (text) => text }));
}

// `usual` is what the panel has by default: its colour and its custom options.
export function withFields(panel, frames, usual, { theme, replaceVariables }) {
  const given = panel.fieldConfig ?? {};
  const defaults = {
    thresholds: THRESHOLDS,
    color: usual.color ?? { mode: "thresholds" },
    ...given.defaults,
    custom: { ...usual.custom, ...given.defaults?.custom },
  };
  const overrides = given.overrides ?? [];
  const fieldConfig = { defaults, overrides };
  const data = applyFieldOverrides({
    data: frames, fieldConfig, theme, replaceVariables, timeZone: "utc",
    fieldConfigRegistry: registryFor(fieldConfig),
  });
  cacheFieldDisplayNames(data);
  const unheard = overrides.filter(({ matcher }) => !matches(matcher, data));
  return { data, fieldConfig, unheard };
}

function registryFor({ defaults, overrides }) {
  const custom = new Set(Object.keys(defaults.custom));
  for (const { properties } of overrides) {
    for (const { id } of properties) {
      if (id.startsWith("custom.")) custom.add(id.slice("custom.".length));
      else if (!(id in STANDARD)) throw Error(`an override of ${id}, which no panel has`);
    }
  }
  return new FieldConfigOptionsRegistry(() => [
    ...Object.entries(STANDARD).map(([id, process]) => option(id, id, process, false)),
    ...[...custom].map((path) => option(`custom.${path}`, path, null, true)),
  ]);
}

function option(id, path, process, isCustom) {
  return {
    id, path, name: id, isCustom, settings: {}, shouldApply: () => true,
    process: process ?? identityOverrideProcessor,
  };
}

function matches({ id, options }, data) {
  if (id !== "byName") return true;
  return data.some(({ fields }) => fields.some((field) =>
    [field.name, field.state.displayName].includes(options)));
}

// The addresses of links in which something has found no value.
export function brokenLinks(data) {
  return data.filter(({ length }) => length).flatMap(({ fields }) => fields
    .filter(({ config }) => config.links?.length)
    .flatMap((field) => field.getLinks({ valueRowIndex: 0 }).map(({ href }) => href))
    .filter((href) => href.includes("$")));
}
