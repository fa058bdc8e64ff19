import { CircleAlert, RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError } from "@/api/client";
import { cx } from "@/lib/cx";
import { Button } from "./button";
import { CodeBlock } from "./code";

/** Nothing here yet, why, and what to type. */
export function EmptyState({
  icon,
  title,
  children,
  command,
  action,
}: {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  command?: string | string[];
  action?: ReactNode;
}) {
  const commands = command === undefined ? [] : Array.isArray(command) ? command : [command];
  return (
    <div className="mx-auto flex max-w-xl flex-col items-center gap-3 px-6 py-16 text-center">
      <div className="flex size-11 items-center justify-center rounded-lg border bg-panel text-brand [&>svg]:size-5">
        {icon}
      </div>
      <h2 className="text-lg font-semibold">{title}</h2>
      {children && <p className="max-w-md text-soft">{children}</p>}
      {commands.map((text) => (
        <CodeBlock key={text} code={text} language="text" className="w-full text-left" />
      ))}
      {action}
    </div>
  );
}

const PARTS: Record<string, string> = {
  broker: "Kafka",
  registry: "Schema registry",
  scheduler: "Scheduler",
  engine: "Engine",
  store: "Table store",
  console: "Console",
};

/** What failed, why, and a way to try again. */
export function ErrorState({ error, retry }: { error: unknown; retry?: () => void }) {
  const api = error instanceof ApiError ? error : null;
  const unknown = error instanceof Error ? error.message : String(error);
  const missing = api?.status === 404;
  return (
    <div role="alert" className="mx-auto flex max-w-xl flex-col items-center gap-3 px-6 py-16 text-center">
      <div
        className={cx(
          "flex size-11 items-center justify-center rounded-lg border",
          missing ? "bg-panel text-soft" : "border-transparent bg-bad-soft text-bad",
        )}
      >
        <CircleAlert className="size-5" />
      </div>
      <h2 className="text-lg font-semibold">
        {missing ? "Not found" : `${PARTS[api?.part ?? "console"]} did not answer`}
      </h2>
      <p className="max-w-md break-words text-soft">{api?.message ?? unknown}</p>
      {api?.hint && <p className="max-w-md text-faint">{api.hint}</p>}
      {retry && (
        <Button onClick={retry}>
          <RotateCw className="size-3.5" /> Try again
        </Button>
      )}
    </div>
  );
}

/** A bar above content that is still shown although its source no longer answers. */
export function StaleBar({ error, retry }: { error: unknown; retry: () => void }) {
  const message = error instanceof Error ? error.message : String(error);
  return (
    <div
      role="status"
      className="flex items-center gap-2 border-b bg-warn-soft px-4 py-1.5 text-xs text-warn"
    >
      <CircleAlert className="size-3.5 shrink-0" />
      <span className="min-w-0 grow truncate">Showing the last answer: {message}</span>
      <button type="button" className="font-medium underline underline-offset-2" onClick={retry}>
        Try again
      </button>
    </div>
  );
}

/** The shape of a list while it loads. */
export function SkeletonRows({ rows = 8 }: { rows?: number }) {
  return (
    <div className="after-150 flex flex-col" aria-hidden>
      {Array.from({ length: rows }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: shapes without identity.
        <div key={i} className="flex h-9 items-center gap-6 border-b px-4">
          <div className="skeleton h-3" style={{ width: `${22 + ((i * 7) % 14)}%` }} />
          <div className="skeleton h-3 w-[8%]" />
          <div className="skeleton h-3 w-[12%]" />
          <div className="skeleton ml-auto h-3 w-[10%]" />
        </div>
      ))}
    </div>
  );
}

export function SkeletonBlock({ className }: { className?: string }) {
  return <div aria-hidden className={cx("skeleton after-150", className)} />;
}

/** What a question to the console leads to: a shape, an error, or its answer (kept while it is stale). */
export function Loaded<T>({
  query,
  children,
}: {
  query: { data: T | undefined; error: unknown; isPending: boolean; refetch: () => unknown };
  children: (data: T) => ReactNode;
}) {
  const retry = () => void query.refetch();
  if (query.data === undefined) {
    return query.isPending ? <SkeletonRows /> : <ErrorState error={query.error} retry={retry} />;
  }
  return (
    <>
      {query.error !== null && <StaleBar error={query.error} retry={retry} />}
      {children(query.data)}
    </>
  );
}
