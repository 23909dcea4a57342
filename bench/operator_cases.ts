import { AGGREGATES } from "./aggregate_cases.ts";
import { JOINS } from "./join_cases.ts";
import type { OperatorCase } from "./operator_inputs.ts";
import { STATELESS } from "./stateless_cases.ts";
import { TABLES } from "./table_cases.ts";

/** Every operator that is measured. */
export const OPERATORS: readonly OperatorCase[] = [
  ...STATELESS,
  ...AGGREGATES,
  ...TABLES,
  ...JOINS,
];
