import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { cx } from "@/lib/cx";

/** The head of a page: its name, its facts, its actions. */
export function PageHead({
  title,
  mono,
  meta,
  actions,
  children,
}: {
  title: ReactNode;
  mono?: boolean;
  meta?: ReactNode;
  actions?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <header className="shrink-0 border-b bg-panel">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 pt-3 pb-3">
        <h1
          className={cx(
            "min-w-0 truncate text-xl font-semibold tracking-[-0.01em]",
            mono && "font-mono text-lg font-medium",
          )}
        >
          {title}
        </h1>
        {meta && (
          <div className="flex min-w-0 flex-wrap items-center gap-x-4 gap-y-1 text-sm text-soft">{meta}</div>
        )}
        {actions && <div className="ml-auto flex flex-wrap items-center gap-2">{actions}</div>}
      </div>
      {children}
    </header>
  );
}

/** A number with its name. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <span className="whitespace-nowrap">
      <span className="font-medium text-ink">{children}</span> <span className="text-soft">{name}</span>
    </span>
  );
}

/** Views of one thing; each has its own address. */
export function TabBar({
  tabs,
  label,
}: {
  label: string;
  tabs: { label: ReactNode; active: boolean; link: LinkProps; count?: number | null }[];
}) {
  return (
    <nav aria-label={label} className="flex gap-1 overflow-x-auto px-3">
      {tabs.map((tab, i) => (
        <Link
          // biome-ignore lint/suspicious/noArrayIndexKey: the tabs of a page are fixed.
          key={i}
          {...tab.link}
          aria-current={tab.active ? "page" : undefined}
          className={cx(
            "relative flex h-9 items-center gap-1.5 rounded-t-md px-2.5 text-sm font-medium whitespace-nowrap outline-offset-[-2px]",
            tab.active
              ? "text-ink after:absolute after:inset-x-2 after:bottom-0 after:h-0.5 after:rounded-full after:bg-brand"
              : "text-soft hover:text-ink",
          )}
        >
          {tab.label}
          {tab.count != null && (
            <span className="rounded-full bg-sunken px-1.5 text-2xs leading-4 font-medium text-soft">
              {tab.count}
            </span>
          )}
        </Link>
      ))}
    </nav>
  );
}

export function Panel({
  title,
  actions,
  children,
  className,
  flush,
}: {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
  flush?: boolean;
}) {
  return (
    <section className={cx("flex min-w-0 flex-col overflow-hidden rounded-lg border bg-panel", className)}>
      {title && (
        <header className="flex min-h-10 items-center gap-2 px-4 pt-1">
          <h2 className="text-sm font-semibold">{title}</h2>
          {actions && <div className="ml-auto flex items-center gap-2 text-xs text-soft">{actions}</div>}
        </header>
      )}
      <div className={cx("min-h-0 grow", !flush && "px-4 pb-4")}>{children}</div>
    </section>
  );
}

/** Names and values, one pair a line. */
export function Facts({ rows }: { rows: [name: string, value: ReactNode][] }) {
  return (
    <dl className="grid grid-cols-[minmax(96px,auto)_1fr] gap-x-6 gap-y-1.5 text-sm">
      {rows.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-soft">{name}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Filters and switches above a list. */
export function Toolbar({ children }: { children: ReactNode }) {
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-2 border-b bg-panel px-4 py-2">{children}</div>
  );
}
