import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { CircleCheck, CircleX } from "lucide-react";
import { useMemo, useState } from "react";
import { put, seg } from "@/api/client";
import { subjectQuery } from "@/api/queries";
import type { SubjectDetail, SubjectVersion } from "@/api/types";
import { cx } from "@/lib/cx";
import { diffLines } from "@/lib/diff";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { CodeBlock } from "@/ui/code";
import { Select } from "@/ui/field";
import { Modal } from "@/ui/overlay";
import { Fact, PageHead } from "@/ui/page";
import { ErrorState, Loaded } from "@/ui/states";

const route = getRouteApi("/schemas/$subject");

export function SchemaPage() {
  const { subject } = route.useParams();
  const detail = useQuery(subjectQuery(subject));
  return <Loaded query={detail}>{(data) => <Body subject={data} />}</Loaded>;
}

/** Indented, where it is JSON; protobuf is shown as it is. */
function pretty(version: SubjectVersion): string {
  if (version.type === "PROTOBUF") return version.schema;
  try {
    return JSON.stringify(JSON.parse(version.schema), null, 2);
  } catch {
    return version.schema;
  }
}

function Body({ subject }: { subject: SubjectDetail }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const newestFirst = [...subject.versions].reverse();
  const version = subject.versions.find((v) => v.version === search.version) ?? newestFirst[0];
  const against = subject.versions.find((v) => v.version === search.against);
  if (!version) return <ErrorState error={new Error("this subject has no live version")} />;
  return (
    <>
      <PageHead
        title={subject.subject}
        mono
        meta={
          <>
            <Badge tone="brand">{version.type}</Badge>
            <Fact name={subject.versions.length === 1 ? "version" : "versions"}>
              {subject.versions.length}
            </Fact>
            <span>
              {subject.compatibility.toLowerCase().replaceAll("_", " ")}
              {subject.compatibility_inherited && <span className="text-faint"> (as the registry)</span>}
            </span>
          </>
        }
        actions={
          <Button onClick={() => navigate({ search: (old) => ({ ...old, check: true }) })}>
            Check a change
          </Button>
        }
      />
      <div className="flex min-h-0 grow flex-col overflow-y-auto md:flex-row md:overflow-hidden">
        <nav
          aria-label="Versions"
          className="shrink-0 border-b bg-panel p-2 md:w-52 md:overflow-y-auto md:border-r md:border-b-0"
        >
          <ul className="flex gap-1 overflow-x-auto md:flex-col">
            {newestFirst.map((v) => (
              <li key={v.version}>
                <Link
                  to="/schemas/$subject"
                  params={{ subject: subject.subject }}
                  search={{ version: v.version }}
                  aria-current={v.version === version.version ? "true" : undefined}
                  className={cx(
                    "flex items-center justify-between gap-3 rounded-md px-2.5 py-1.5 whitespace-nowrap",
                    v.version === version.version
                      ? "bg-brand-soft font-medium text-brand-strong"
                      : "text-soft hover:bg-hover",
                  )}
                >
                  Version {v.version}
                  <span className="font-mono text-2xs">id {v.id}</span>
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div className="flex min-w-0 grow flex-col gap-3 p-4 md:overflow-y-auto">
          <div className="flex items-center gap-2 text-sm text-soft">
            <span>
              Version {version.version}
              {against && ` against ${against.version}`}
            </span>
            {subject.versions.length > 1 && (
              <Select
                aria-label="Compare with"
                className="ml-auto"
                value={search.against ?? ""}
                onChange={(e) =>
                  navigate({
                    search: (old) =>
                      ({ ...old, against: e.target.value ? Number(e.target.value) : undefined }) as never,
                    replace: true,
                  })
                }
              >
                <option value="">Compare with…</option>
                {newestFirst
                  .filter((v) => v.version !== version.version)
                  .map((v) => (
                    <option key={v.version} value={v.version}>
                      Version {v.version}
                    </option>
                  ))}
              </Select>
            )}
          </div>
          {against ? (
            <Diff before={pretty(against)} after={pretty(version)} />
          ) : (
            <CodeBlock
              code={pretty(version)}
              language={version.type === "PROTOBUF" ? "text" : "json"}
              className="bg-panel"
              tall
            />
          )}
          {version.references.length > 0 && (
            <p className="text-soft">
              Refers to{" "}
              {version.references.map((r) => (
                <Link
                  key={r.name}
                  to="/schemas/$subject"
                  params={{ subject: r.subject }}
                  search={{ version: r.version }}
                  className="mr-2 font-mono text-xs text-brand"
                >
                  {r.subject} v{r.version}
                </Link>
              ))}
            </p>
          )}
        </div>
      </div>
      <CheckModal
        subject={subject.subject}
        version={version}
        open={search.check ?? false}
        onClose={() => navigate({ search: (old) => ({ ...old, check: undefined }) as never })}
      />
    </>
  );
}

function Diff({ before, after }: { before: string; after: string }) {
  const lines = useMemo(() => diffLines(before, after), [before, after]);
  return (
    <div
      role="region"
      aria-label="Differences"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard.
      tabIndex={0}
      className="overflow-x-auto rounded-md border bg-panel py-2 font-mono text-xs leading-[19px]"
    >
      {lines.map((line) => (
        <div
          key={`${line.old ?? ""}:${line.new ?? ""}`}
          className={cx(
            "grid grid-cols-[40px_40px_16px_1fr] whitespace-pre",
            line.kind === "added" && "bg-ok-soft",
            line.kind === "removed" && "bg-bad-soft",
          )}
        >
          <span className="pr-2 text-right text-soft">{line.old}</span>
          <span className="pr-2 text-right text-soft">{line.new}</span>
          <span className={line.kind === "added" ? "text-ok" : "text-bad"}>
            {line.kind === "added" ? "+" : line.kind === "removed" ? "−" : ""}
          </span>
          <span>{line.text}</span>
        </div>
      ))}
    </div>
  );
}

interface Verdict {
  is_compatible: boolean;
  messages?: string[];
}

/** Asks the registry whether an edit would be accepted, without registering it. */
function CheckModal({
  subject,
  version,
  open,
  onClose,
}: {
  subject: string;
  version: SubjectVersion;
  open: boolean;
  onClose: () => void;
}) {
  const [text, setText] = useState(() => pretty(version));
  const check = useMutation({
    mutationFn: () =>
      put<Verdict>("POST", `/registry/compatibility/subjects/${seg(subject)}/versions?verbose=true`, {
        schema: text,
        ...(version.type === "AVRO" ? {} : { schemaType: version.type }),
        ...(version.references.length > 0 ? { references: version.references } : {}),
      }),
  });
  return (
    <Modal
      open={open}
      onClose={onClose}
      title="Check a change"
      description="Edit the schema: the registry says whether it would accept it. Nothing is registered."
    >
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          check.mutate();
        }}
      >
        <textarea
          aria-label="Schema"
          spellCheck={false}
          rows={14}
          value={text}
          onChange={(e) => setText(e.target.value)}
          className="w-full rounded-md border bg-sunken p-3 font-mono text-xs leading-[18px]"
        />
        {check.data && <VerdictView verdict={check.data} />}
        {check.error && (
          <p role="alert" className="rounded-md bg-bad-soft px-3 py-2 text-bad">
            {check.error.message}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Close</Button>
          <Button look="primary" type="submit" disabled={check.isPending}>
            Check
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function VerdictView({ verdict }: { verdict: Verdict }) {
  const good = verdict.is_compatible;
  return (
    <div
      role="status"
      className={cx("rounded-md px-3 py-2", good ? "bg-ok-soft text-ok" : "bg-bad-soft text-bad")}
    >
      <p className="flex items-center gap-2 font-medium">
        {good ? <CircleCheck className="size-4" /> : <CircleX className="size-4" />}
        {good ? "Compatible: the registry would accept it" : "Not compatible: the registry would refuse it"}
      </p>
      {verdict.messages?.map((message) => (
        <p key={message} className="mt-1 text-xs break-words">
          {message}
        </p>
      ))}
    </div>
  );
}
