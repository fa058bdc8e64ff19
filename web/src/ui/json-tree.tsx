import { ChevronRight } from "lucide-react";
import { type ReactNode, useState } from "react";
import { cx } from "@/lib/cx";

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Children shown at once; the rest behind a button, so that no value can freeze the page. */
const CHILDREN_MAX = 100;

/** A JSON value, folded by level. Field order is the text's. */
export function JsonTree({ value, open = 2 }: { value: unknown; open?: number }) {
  return (
    <div role="tree" aria-label="JSON value" className="overflow-x-auto font-mono text-xs leading-5">
      <Value name={null} value={value as Json} depth={0} open={open} last />
    </div>
  );
}

function Value({
  name,
  value,
  depth,
  open,
  last,
}: {
  name: string | null;
  value: Json;
  depth: number;
  open: number;
  last: boolean;
}) {
  if (value === null || typeof value !== "object") {
    return (
      <Line depth={depth}>
        <Name name={name} />
        <Scalar value={value} />
        {!last && <Mark>,</Mark>}
      </Line>
    );
  }
  return <Branch name={name} value={value} depth={depth} open={open} last={last} />;
}

function Branch({
  name,
  value,
  depth,
  open,
  last,
}: {
  name: string | null;
  value: Json[] | { [key: string]: Json };
  depth: number;
  open: number;
  last: boolean;
}) {
  const [isOpen, setOpen] = useState(depth < open);
  const [shown, setShown] = useState(CHILDREN_MAX);
  const list = Array.isArray(value);
  const entries: [string | null, Json][] = list ? value.map((v) => [null, v]) : Object.entries(value);
  const [left, right] = list ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) {
    return (
      <Line depth={depth}>
        <Name name={name} />
        <Mark>{`${left}${right}${last ? "" : ","}`}</Mark>
      </Line>
    );
  }
  return (
    <div role="treeitem" aria-expanded={isOpen} tabIndex={-1}>
      <Line depth={depth}>
        <button
          type="button"
          aria-label={`${isOpen ? "Fold" : "Unfold"} ${name ?? "value"}`}
          onClick={() => setOpen(!isOpen)}
          className="-ml-4 inline-flex w-4 items-center text-faint hover:text-ink"
        >
          <ChevronRight className={cx("size-3 transition-transform duration-100", isOpen && "rotate-90")} />
        </button>
        <Name name={name} />
        <Mark>{left}</Mark>
        {!isOpen && (
          <button
            type="button"
            onClick={() => setOpen(true)}
            className="mx-1 rounded bg-sunken px-1 text-faint hover:text-ink"
          >
            {entries.length} {list ? "items" : "fields"}
          </button>
        )}
        {!isOpen && <Mark>{`${right}${last ? "" : ","}`}</Mark>}
      </Line>
      {isOpen && (
        <>
          {entries.slice(0, shown).map(([key, child], i) => (
            <Value
              key={key ?? i}
              name={key}
              value={child}
              depth={depth + 1}
              open={open}
              last={i === entries.length - 1}
            />
          ))}
          {entries.length > shown && (
            <Line depth={depth + 1}>
              <button
                type="button"
                className="text-brand underline underline-offset-2"
                onClick={() => setShown(shown + CHILDREN_MAX)}
              >
                {entries.length - shown} more
              </button>
            </Line>
          )}
          <Line depth={depth}>
            <Mark>{`${right}${last ? "" : ","}`}</Mark>
          </Line>
        </>
      )}
    </div>
  );
}

function Line({ depth, children }: { depth: number; children: ReactNode }) {
  return (
    <div className="whitespace-pre-wrap break-all" style={{ paddingLeft: 16 + depth * 16 }}>
      {children}
    </div>
  );
}

function Mark({ children }: { children: ReactNode }) {
  return <span className="text-faint">{children}</span>;
}

function Name({ name }: { name: string | null }) {
  if (name === null) return null;
  return (
    <>
      <span className="text-brand-strong">{JSON.stringify(name)}</span>
      <Mark>: </Mark>
    </>
  );
}

function Scalar({ value }: { value: string | number | boolean | null }) {
  if (typeof value === "string") return <span className="text-ok">{JSON.stringify(value)}</span>;
  if (typeof value === "number") return <span className="text-run">{String(value)}</span>;
  return <span className="text-violet">{String(value)}</span>;
}
