// A table, the one that Grafana has had since version 12.

import { TableNG } from "@grafana/ui/unstable";

export const USUAL = {
  custom: { align: "auto", cellOptions: { type: "auto" }, inspect: false, filterable: false },
};

export function DataTable({ panel, data, fieldConfig, width, height, timeRange }) {
  const options = { showHeader: true, cellHeight: "sm", ...panel.options };
  return (
    <TableNG data={data[0]} width={width} height={height} timeRange={timeRange}
      noHeader={!options.showHeader} sortBy={options.sortBy} cellHeight={options.cellHeight}
      enablePagination={options.enablePagination} frozenColumns={options.frozenColumns?.left}
      noValue={fieldConfig.defaults.noValue} fieldConfig={fieldConfig} resizable structureRev={1}
      enableVirtualization={false} />
  );
}
