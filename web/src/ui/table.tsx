import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useRef } from "react";
import { cx } from "@/lib/cx";

export interface Column<Row> {
  id: string;
  header: ReactNode;
  cell: (row: Row) => ReactNode;
  /** A CSS grid track: `minmax(160px, 2fr)`, `96px`. */
  track: string;
  align?: "right";
  sortable?: boolean;
  /** Left out below this width of the window. */
  from?: "sm" | "md" | "lg";
  mono?: boolean;
}

export interface Sort {
  by: string;
  down: boolean;
}

const SHOWN_FROM = { sm: 640, md: 860, lg: 1100 };

interface TableProps<Row> {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  rowKey: (row: Row) => string;
  onOpen?: (row: Row) => void;
  isOpen?: (row: Row) => boolean;
  isFresh?: (row: Row) => boolean;
  sort?: Sort;
  onSort?: (sort: Sort) => void;
  rowHeight?: number;
  footer?: ReactNode;
  /** Total, when more rows exist than are given. */
  className?: string;
}

/** Rows that may be very many: only those in view exist as elements. Fills its parent's height. */
export function DataTable<Row>(props: TableProps<Row>) {
  const { label, rows, rowKey, rowHeight = 36, footer, className } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const width = typeof window === "undefined" ? 1440 : window.innerWidth;
  const columns = props.columns.filter((c) => !c.from || width >= SHOWN_FROM[c.from]);
  const tracks = { gridTemplateColumns: columns.map((c) => c.track).join(" ") };
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (i) => rowKey(rows[i]!),
    overscan: 12,
  });
  return (
    <div
      ref={scroller}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard.
      tabIndex={0}
      className={cx("min-h-0 grow overflow-auto outline-offset-[-2px]", className)}
    >
      <div role="table" aria-label={label} aria-rowcount={rows.length + 1} className="min-w-fit">
        <Header {...props} columns={columns} tracks={tracks} />
        <div role="rowgroup" className="relative bg-panel" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => (
            <Line
              key={item.key}
              {...props}
              columns={columns}
              tracks={tracks}
              row={rows[item.index]!}
              index={item.index}
              top={item.start}
              height={rowHeight}
            />
          ))}
        </div>
      </div>
      {footer}
    </div>
  );
}

interface Laid<Row> extends TableProps<Row> {
  tracks: { gridTemplateColumns: string };
}

function Header<Row>({ columns, tracks, sort, onSort }: Laid<Row>) {
  return (
    <div role="rowgroup" className="sticky top-0 z-10 border-b bg-panel">
      <div role="row" aria-rowindex={1} className="grid h-8 items-center gap-4 px-4" style={tracks}>
        {columns.map((column) => {
          const active = sort?.by === column.id;
          return (
            <div
              key={column.id}
              role="columnheader"
              aria-sort={active ? (sort.down ? "descending" : "ascending") : undefined}
              className={cx(
                "truncate text-xs font-medium text-faint",
                column.align === "right" && "text-right",
              )}
            >
              {column.sortable && onSort ? (
                <button
                  type="button"
                  className={cx("inline-flex items-center gap-1 hover:text-ink", active && "text-ink")}
                  onClick={() =>
                    onSort({ by: column.id, down: active ? !sort.down : column.align === "right" })
                  }
                >
                  {column.header}
                  {active && (sort.down ? <ArrowDown className="size-3" /> : <ArrowUp className="size-3" />)}
                </button>
              ) : (
                column.header
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Line<Row>({
  columns,
  tracks,
  row,
  index,
  top,
  height,
  onOpen,
  isOpen,
  isFresh,
}: Laid<Row> & { row: Row; index: number; top: number; height: number }) {
  const open = isOpen?.(row) ?? false;
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.target !== event.currentTarget) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      onOpen?.(row);
    }
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      const next = event.currentTarget.parentElement?.querySelector<HTMLElement>(
        `[aria-rowindex="${index + 2 + step}"]`,
      );
      if (next) {
        event.preventDefault();
        next.focus();
      }
    }
  };
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={onOpen ? open : undefined}
      tabIndex={onOpen ? 0 : undefined}
      onClick={onOpen && (() => window.getSelection()?.isCollapsed !== false && onOpen(row))}
      onKeyDown={onOpen && onKeyDown}
      className={cx(
        "absolute inset-x-0 grid items-center gap-4 border-b px-4 outline-offset-[-2px]",
        onOpen && "cursor-pointer hover:bg-hover",
        open && "bg-brand-soft hover:bg-brand-soft",
        isFresh?.(row) && "fresh",
      )}
      style={{ ...tracks, height, transform: `translateY(${top}px)` }}
    >
      {columns.map((column) => (
        <div
          key={column.id}
          role="cell"
          className={cx(
            "min-w-0 truncate",
            column.align === "right" && "text-right",
            column.mono && "font-mono text-xs",
          )}
        >
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}
