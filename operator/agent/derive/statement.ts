import { clip, permanent } from "../failure.ts";
import { type Database, literal } from "../table/database.ts";
import { unrepeatable } from "./functions.ts";

/** A node of the tree that DuckDB parses SQL to. */
type Node = { readonly [name: string]: unknown };

export interface Statement {
  /** True where ORDER BY at its end says how the rows lie. */
  ordered: boolean;
}

/** Table functions that make rows of what they are given. */
const tableFunctions = ["range", "generate_series", "unnest", "json_each", "json_tree", "repeat", "repeat_row"];
/** Columns that are the clock where no table has them. */
const clocks = ["current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"];

/**
 * Refuses all but one SELECT over the tables. DuckDB itself is closed to files outside of the task's folder; what is refused
 * here would read what is in it, or give another result each time: a version is named by its inputs and its SQL.
 */
export async function checkStatement(database: Database, sql: string, tables: readonly string[]): Promise<Statement> {
  const { tree } = await database.row(
    `SELECT json_serialize_sql(${literal(sql)}, skip_null := true, skip_empty := true)::VARCHAR AS tree`,
  );
  const parsed = JSON.parse(String(tree)) as {
    error: boolean;
    error_type?: string;
    error_message?: string;
    statements?: { node: Node }[];
  };
  if (parsed.error) {
    throw invalid(parsed.error_type === "parser" ? clip(`has a ${parsed.error_message}`, 300) : "must be a SELECT");
  }
  const [statement, ...others] = parsed.statements ?? [];
  if (!statement || others.length > 0) throw invalid("must be one SELECT");
  const walker = new Walker(tables, await unrepeatable(database));
  walker.visit(statement.node, new Set(tables));
  const modifiers = (statement.node.modifiers ?? []) as Node[];
  return { ordered: modifiers.some(({ type }) => type === "ORDER_MODIFIER") };
}

class Walker {
  readonly #tables: readonly string[];
  readonly #unrepeatable: ReadonlySet<string>;

  constructor(tables: readonly string[], unrepeatable: ReadonlySet<string>) {
    this.#tables = tables;
    this.#unrepeatable = unrepeatable;
  }

  /** `scope` has the tables that can be named here, in lower case: those given, and what WITH has named before. */
  visit(value: unknown, scope: ReadonlySet<string>): void {
    if (Array.isArray(value)) {
      for (const item of value) this.visit(item, scope);
    } else if (typeof value === "object" && value !== null && (value as Node).class !== "CONSTANT") {
      const { cte_map, ...node } = value as Node;
      this.#enter(node, this.#name(cte_map, scope));
    }
  }

  /** The scope with the tables of WITH, each visible to those after it, and to itself where it is recursive. */
  #name(ctes: unknown, scope: ReadonlySet<string>): ReadonlySet<string> {
    const map = (ctes as { map?: { key: string; value: { query: { node: Node } } }[] } | undefined)?.map ?? [];
    let inner = scope;
    for (const { key, value } of map) {
      const named = new Set([...inner, key.toLowerCase()]);
      this.visit(value, value.query.node.type === "RECURSIVE_CTE_NODE" ? named : inner);
      inner = named;
    }
    return inner;
  }

  #enter(node: Node, scope: ReadonlySet<string>): void {
    if (node.sample !== undefined) throw invalid("must not sample rows: each run would draw others");
    if (node.type === "SHOW_REF") throw invalid("must be a SELECT over the tables in from");
    if (node.type === "BASE_TABLE") this.#checkTable(node, scope);
    if (node.type === "COLUMN_REF") this.#checkColumn(node.column_names as string[]);
    if (node.class === "FUNCTION" || node.class === "WINDOW") this.#checkFunction(node);
    if (node.type === "TABLE_FUNCTION") {
      const { function_name, children } = node.function as Node;
      if (!tableFunctions.includes(`${function_name}`.toLowerCase())) {
        throw invalid(
          `must not read with ${function_name}(): its tables are those in from (${this.#tables.join(", ")})`,
        );
      }
      this.visit(children, scope);
    } else {
      for (const child of Object.values(node)) this.visit(child, scope);
    }
  }

  #checkTable({ catalog_name, schema_name, table_name }: Node, scope: ReadonlySet<string>): void {
    const name = [catalog_name, schema_name, table_name].filter((part) => part !== undefined).join(".");
    if (name === table_name && scope.has(name.toLowerCase())) return;
    throw invalid(`reads ${clip(name, 100)}, which is not in from: its tables are ${this.#tables.join(", ")}`);
  }

  #checkColumn(names: readonly string[]): void {
    const [name = ""] = names;
    if (names.length === 1 && clocks.includes(name.toLowerCase())) throw differs(name);
  }

  #checkFunction({ function_name, children }: Node): void {
    const name = `${function_name}`.toLowerCase();
    // With one argument, the age today.
    const today = name === "age" && (children as unknown[] | undefined)?.length === 1;
    if (today || this.#unrepeatable.has(name)) throw differs(`${name}()`);
  }
}

function differs(what: string) {
  return invalid(`must not use ${what}: the same inputs must give the same rows; put the time into the data instead`);
}

function invalid(message: string) {
  return permanent("TransformInvalid", `transform.sql ${message}`);
}
