import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { History, LoaderCircle, Play, SquareTerminal } from "lucide-react";
import { type KeyboardEvent, useRef, useState } from "react";
import { put } from "@/api/client";
import { infoQuery } from "@/api/queries";
import type { Cell } from "@/api/types";
import { count, duration } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Button, Segmented } from "@/ui/button";
import { Coloured } from "@/ui/code";
import { EmptyState, ErrorState } from "@/ui/states";
import { type Column, DataTable } from "@/ui/table";

const route = getRouteApi("/sql");

type Dialect = "sql" | "cql";

interface Result {
  columns: string[];
  rows: Cell[][];
  took_ms: number;
  truncated: boolean;
  /** Id of a job that goes on, for a statement that never ends. */
  job: string | null;
}

const HISTORY_KEY = "tidemill.sql";
const HISTORY_MAX = 30;

interface Past {
  dialect: Dialect;
  statement: string;
}

function readHistory(): Past[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(HISTORY_KEY) ?? "[]");
    return Array.isArray(stored) ? (stored as Past[]).filter((p) => typeof p.statement === "string") : [];
  } catch {
    return [];
  }
}

const SAMPLES: Record<Dialect, string> = {
  sql: "SHOW TABLES;",
  cql: "SELECT * FROM spark_streams.created_users LIMIT 20;",
};

export function SqlPage() {
  const { q } = route.useSearch();
  const navigate = route.useNavigate();
  const [dialect, setDialect] = useState<Dialect>("cql");
  const [text, setText] = useState(q ?? SAMPLES.cql);
  const [past, setPast] = useState(readHistory);
  const run = useMutation({
    mutationFn: (statement: string) => put<Result>("POST", `/${dialect}`, { statement }),
    onMutate: (statement) => {
      const next = [{ dialect, statement }, ...past.filter((p) => p.statement !== statement)].slice(
        0,
        HISTORY_MAX,
      );
      setPast(next);
      localStorage.setItem(HISTORY_KEY, JSON.stringify(next));
      void navigate({ search: { q: statement }, replace: true });
    },
  });
  const start = () => text.trim() && run.mutate(text.trim());
  return (
    <div className="flex min-h-0 grow flex-col">
      <h1 className="sr-only">SQL</h1>
      <div className="shrink-0 border-b bg-panel">
        <div className="flex flex-wrap items-center gap-2 px-4 py-2">
          <Segmented
            label="Where it runs"
            value={dialect}
            onChange={(next) => {
              setDialect(next);
              if (Object.values(SAMPLES).includes(text)) setText(SAMPLES[next]);
            }}
            options={[
              { value: "cql", label: "CQL", title: "On the table store" },
              { value: "sql", label: "Flink SQL", title: "On the engine" },
            ]}
          />
          {past.length > 0 && (
            <label className="relative inline-flex h-8 items-center gap-1.5 rounded-md px-2 text-xs text-soft hover:bg-hover">
              <History className="size-3.5" /> History
              <select
                aria-label="Earlier statements"
                className="absolute inset-0 w-full opacity-0"
                value=""
                onChange={(e) => {
                  const chosen = past[Number(e.target.value)];
                  if (chosen) {
                    setDialect(chosen.dialect);
                    setText(chosen.statement);
                  }
                }}
              >
                <option value="" disabled>
                  Earlier statements
                </option>
                {past.map((p, i) => (
                  <option key={p.statement} value={i}>
                    {p.statement.replace(/\s+/g, " ").slice(0, 80)}
                  </option>
                ))}
              </select>
            </label>
          )}
          <span className="ml-auto hidden text-xs text-faint sm:inline">Ctrl + Enter runs it</span>
          <Button look="primary" disabled={run.isPending} onClick={start}>
            {run.isPending ? (
              <LoaderCircle className="size-3.5 animate-spin" />
            ) : (
              <Play className="size-3.5" />
            )}{" "}
            Run
          </Button>
        </div>
        <Editor value={text} onChange={setText} onRun={start} />
      </div>
      <Outcome run={run} dialect={dialect} />
    </div>
  );
}

/** A text field whose colours lie under it. */
function Editor({
  value,
  onChange,
  onRun,
}: {
  value: string;
  onChange: (text: string) => void;
  onRun: () => void;
}) {
  const under = useRef<HTMLPreElement>(null);
  const look = "m-0 w-full px-4 py-3 font-mono text-[13px] leading-5 whitespace-pre-wrap break-words";
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onRun();
    }
  };
  return (
    <div className="relative h-[clamp(120px,26vh,320px)] border-t bg-sunken">
      <pre ref={under} aria-hidden="true" className={`${look} absolute inset-0 overflow-hidden`}>
        <Coloured code={`${value}\n`} language="sql" />
      </pre>
      <textarea
        aria-label="Statement"
        spellCheck={false}
        autoCapitalize="off"
        value={value}
        onChange={(e) => onChange(e.target.value)}
        onKeyDown={onKeyDown}
        onScroll={(e) => {
          if (under.current) under.current.scrollTop = e.currentTarget.scrollTop;
        }}
        className={`${look} absolute inset-0 h-full resize-none overflow-auto bg-transparent text-transparent caret-(--ink) outline-offset-[-2px]`}
      />
    </div>
  );
}

function Outcome({
  run,
  dialect,
}: {
  run: { data: Result | undefined; error: Error | null; isPending: boolean };
  dialect: Dialect;
}) {
  const info = useQuery(infoQuery).data;
  if (run.error) return <ErrorState error={run.error} />;
  if (!run.data) {
    if (run.isPending) return <p className="px-4 py-12 text-center text-soft">Running…</p>;
    return (
      <EmptyState
        icon={<SquareTerminal />}
        title={dialect === "cql" ? "Ask the table store" : "Ask the engine"}
        command={
          dialect === "cql"
            ? `cqlsh ${(info?.endpoints.cql ?? "127.0.0.1:9042").replace(":", " ")}`
            : `curl ${info?.endpoints.engine ?? "http://127.0.0.1:8083"}/v1/info`
        }
      >
        {dialect === "cql"
          ? "Any CQL statement runs as it would in cqlsh. The same from a terminal:"
          : "Statements go to the engine's Flink SQL gateway. The same gateway from a terminal:"}
      </EmptyState>
    );
  }
  const { columns, rows, took_ms, truncated, job } = run.data;
  const grid: Column<{ at: number; cells: Cell[] }>[] = columns.map((name, i) => ({
    id: `${i} ${name}`,
    header: name,
    track: "minmax(120px,1fr)",
    mono: true,
    cell: (row) => {
      const value = row.cells[i] ?? null;
      return value === null ? (
        <span className="text-faint italic">null</span>
      ) : typeof value === "object" ? (
        JSON.stringify(value)
      ) : (
        String(value)
      );
    },
  }));
  return (
    <>
      <div
        role="status"
        className="flex shrink-0 items-center gap-3 border-b bg-panel px-4 py-1.5 text-xs text-soft"
      >
        {columns.length === 0 ? "Done" : `${count(rows.length)} rows`} · {duration(took_ms)}
        {truncated && <Badge tone="warn">only the first rows</Badge>}
        {job && <Badge tone="run">job {job} runs on</Badge>}
      </div>
      {rows.length > 0 && (
        <DataTable
          label="Result"
          columns={grid}
          rows={rows.map((cells, at) => ({ at, cells }))}
          rowKey={(r) => String(r.at)}
          rowHeight={32}
        />
      )}
    </>
  );
}
