import type { ReactNode } from "react";
import type { Message, Payload } from "@/api/types";
import { bytes, dateTime } from "@/lib/format";
import { pipelineName } from "@/lib/names";
import { Badge } from "@/ui/badge";
import { CodeBlock, CopyButton } from "@/ui/code";
import { JsonTree } from "@/ui/json-tree";
import { Drawer } from "@/ui/overlay";
import { Facts } from "@/ui/page";

const ERROR = "__connect.errors.";

/** One record, whole: its value as a tree, its key, its headers, its place. */
export function MessageDrawer({
  topic,
  message,
  onClose,
}: {
  topic: string;
  message: Message | null;
  onClose: () => void;
}) {
  return (
    <Drawer
      open={message !== null}
      onClose={onClose}
      title={
        message && (
          <span className="font-mono text-sm">
            {topic}-{message.partition}@{message.offset}
          </span>
        )
      }
      subtitle={message && dateTime(message.timestamp_ms)}
    >
      {message && <Body message={message} />}
    </Drawer>
  );
}

function Body({ message }: { message: Message }) {
  const failure = Object.fromEntries(
    message.headers
      .filter((h) => h.key.startsWith(ERROR))
      .map((h) => [h.key.slice(ERROR.length), h.value ?? ""]),
  );
  return (
    <div className="flex flex-col gap-5 p-4">
      {failure["exception.message"] && (
        <div className="rounded-md bg-warn-soft px-3 py-2.5 text-warn">
          <div className="font-medium">{failure["exception.message"]}</div>
          <div className="mt-1 text-xs">
            {failure["connector.name"] && <>rejected by {pipelineName(failure["connector.name"])}, </>}
            read from {failure.topic}-{failure.partition}@{failure.offset}
          </div>
        </div>
      )}
      <Part title="Value" payload={message.value}>
        <Content payload={message.value} />
      </Part>
      {message.key.format !== "null" && (
        <Part title="Key" payload={message.key}>
          <Content payload={message.key} />
        </Part>
      )}
      {message.headers.length > 0 && (
        <section>
          <h3 className="mb-2 text-xs font-medium text-faint">Headers</h3>
          <dl className="divide-y rounded-md border font-mono text-xs">
            {message.headers.map((header, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a header's name may repeat; its place does not.
              <div key={i} className="px-3 py-1.5">
                <dt className="text-faint">{header.key}</dt>
                <dd className="break-all">
                  {header.value ?? <span className="italic text-faint">null</span>}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      )}
      <section>
        <h3 className="mb-2 text-xs font-medium text-faint">Place</h3>
        <Facts
          rows={[
            ["Partition", message.partition],
            [
              "Offset",
              <span key="o" className="font-mono text-xs">
                {message.offset}
              </span>,
            ],
            [
              "Timestamp",
              <span key="t" className="font-mono text-xs">
                {new Date(message.timestamp_ms).toISOString()}
              </span>,
            ],
          ]}
        />
      </section>
    </div>
  );
}

function Part({ title, payload, children }: { title: string; payload: Payload; children: ReactNode }) {
  return (
    <section>
      <div className="mb-2 flex items-center gap-2">
        <h3 className="text-xs font-medium text-faint">{title}</h3>
        <Badge>{payload.format}</Badge>
        {payload.schema_id !== null && <Badge tone="brand">schema {payload.schema_id}</Badge>}
        <span className="text-xs text-faint">{bytes(payload.bytes)}</span>
        <span className="ml-auto">
          <CopyButton text={payload.text} label={`Copy ${title.toLowerCase()}`} />
        </span>
      </div>
      {children}
      {payload.truncated && <p className="mt-1 text-xs text-warn">Only the first part is shown.</p>}
    </section>
  );
}

export function Content({ payload }: { payload: Payload }) {
  if (payload.format === "null") return <p className="text-faint italic">null, a tombstone</p>;
  if (payload.format === "json" || payload.format === "avro") {
    const parsed = parse(payload.text);
    if (parsed.ok) {
      return (
        <div className="rounded-md border bg-sunken py-2 pr-2">
          <JsonTree value={parsed.value} />
        </div>
      );
    }
  }
  return <CodeBlock code={payload.text} wrap bare />;
}

function parse(text: string): { ok: true; value: unknown } | { ok: false } {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false };
  }
}
