import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Inbox, LoaderCircle, Pause, Radio, RotateCw } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { infoQuery } from "@/api/queries";
import type { Message, Payload, TopicDetail } from "@/api/types";
import { clock, compact, count, dateTime, toLocalInput } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Coloured } from "@/ui/code";
import { Input, SearchInput, Select } from "@/ui/field";
import { Toolbar } from "@/ui/page";
import { EmptyState, ErrorState, SkeletonRows } from "@/ui/states";
import { type Column, DataTable } from "@/ui/table";
import { PAGE, ROWS_MAX, useBrowse, useTail } from "./browse";
import { MessageDrawer } from "./message";
import { parseSeek, type Seek, showSeek } from "./seek";

const route = getRouteApi("/topics/$topic");

const idOf = (m: Message) => `${m.partition}-${m.offset}`;

export function MessagesTab({ topic }: { topic: TopicDetail }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [round, setRound] = useState(0);
  const [limit, setLimit] = useState(PAGE);
  const { live = false, filter = "", partition } = search;
  const seek = parseSeek(search.from);
  const set = (next: Partial<typeof search>) =>
    navigate({ search: (old) => ({ ...old, ...next }) as never, replace: true });
  const browsed = useBrowse(
    live ? null : { topic: topic.name, from: showSeek(seek), partition, filter, round, limit },
  );
  const tailed = useTail(topic.name, partition, filter, live);
  const rows = live ? tailed.messages : browsed.messages;
  const open = rows.find((m) => idOf(m) === search.open);
  const kept = useKept(open, search.open);
  const columns = useMemo(
    () =>
      columnsOf(
        topic.partitions.length > 1,
        rows.some((m) => m.key.format !== "null"),
      ),
    [topic.partitions.length, rows],
  );
  const freshAfter = useFresh(live ? tailed.seen : 0);
  return (
    <>
      <Toolbar>
        <Button
          look={live ? "primary" : "plain"}
          aria-pressed={live}
          onClick={() => set({ live: live ? undefined : true, open: undefined } as never)}
        >
          {live ? <Pause className="size-3.5" /> : <Radio className="size-3.5" />} {live ? "Stop" : "Live"}
        </Button>
        {!live && (
          <SeekControls
            seek={seek}
            onChange={(s) =>
              set({ from: s.at === "latest" ? undefined : showSeek(s), open: undefined } as never)
            }
          />
        )}
        {topic.partitions.length > 1 && (
          <Select
            aria-label="Partition"
            value={partition ?? ""}
            onChange={(e) =>
              set({ partition: e.target.value === "" ? undefined : Number(e.target.value) } as never)
            }
          >
            <option value="">All partitions</option>
            {topic.partitions.map((p) => (
              <option key={p.partition} value={p.partition}>
                Partition {p.partition}
              </option>
            ))}
          </Select>
        )}
        <SearchInput
          className="min-w-40 grow sm:max-w-96"
          placeholder="Filter key, value, headers"
          delayMs={350}
          value={filter}
          onChange={(text) => set({ filter: text || undefined } as never)}
        />
        {!live && (
          <Button
            size="icon"
            look="ghost"
            aria-label="Read again"
            title="Read again"
            onClick={() => setRound(round + 1)}
          >
            <RotateCw className="size-3.5" />
          </Button>
        )}
        <Status live={live} browsed={browsed} tailed={tailed} shown={rows.length} filter={filter} />
      </Toolbar>
      {!live && browsed.error !== null && rows.length === 0 && (
        <ErrorState error={browsed.error} retry={() => setRound(round + 1)} />
      )}
      {!live && rows.length === 0 && browsed.error === null && !browsed.end && <SkeletonRows rows={12} />}
      {!live && rows.length === 0 && browsed.end && (
        <Nothing topic={topic} filter={filter} scanned={browsed.end.scanned} seek={seek} />
      )}
      {live && rows.length === 0 && (
        <p className="flex flex-col items-center gap-3 px-4 py-16 text-center text-soft">
          <Radio className="size-5 text-brand pulse" />
          {filter ? `Waiting for a record that has “${filter}” in it…` : "Waiting for the next record…"}
        </p>
      )}
      {rows.length > 0 && (
        <DataTable
          label="Messages"
          columns={columns}
          rows={rows}
          rowKey={idOf}
          rowHeight={32}
          isOpen={(m) => idOf(m) === search.open}
          isFresh={(m) => live && m.timestamp_ms > freshAfter}
          onOpen={(m) => set({ open: idOf(m) === search.open ? undefined : idOf(m) } as never)}
          footer={
            !live && browsed.end?.reason === "limit" && limit < ROWS_MAX ? (
              <div className="flex justify-center p-3">
                <Button onClick={() => setLimit(Math.min(ROWS_MAX, limit * 2))}>
                  {seek.at === "latest" ? "Show older" : "Show more"}
                </Button>
              </div>
            ) : undefined
          }
        />
      )}
      <MessageDrawer topic={topic.name} message={kept} onClose={() => set({ open: undefined } as never)} />
    </>
  );
}

/** The opened message stays, although the live list may have moved on without it. */
function useKept(found: Message | undefined, id: string | undefined): Message | null {
  const [kept, setKept] = useState<Message | null>(null);
  useEffect(() => {
    if (found) setKept(found);
  }, [found]);
  if (!id) return null;
  return found ?? (kept && idOf(kept) === id ? kept : null);
}

/** Rows newer than this shine for a moment. */
function useFresh(seen: number): number {
  const [after, setAfter] = useState(Number.POSITIVE_INFINITY);
  // biome-ignore lint/correctness/useExhaustiveDependencies: moves with what was seen.
  useEffect(() => setAfter(Date.now() - 1200), [seen]);
  return after;
}

function columnsOf(many: boolean, keyed: boolean): Column<Message>[] {
  return [
    ...(many
      ? [
          {
            id: "partition",
            header: "P",
            track: "28px",
            cell: (m: Message) => <span className="text-faint">{m.partition}</span>,
          },
        ]
      : []),
    {
      id: "offset",
      header: "Offset",
      track: "84px",
      mono: true,
      cell: (m) => <span className="text-soft">{m.offset}</span>,
    },
    {
      id: "time",
      header: "Time",
      track: "104px",
      mono: true,
      from: "sm",
      cell: (m) => (
        <span className="text-soft" title={dateTime(m.timestamp_ms)}>
          {clock(m.timestamp_ms)}
        </span>
      ),
    },
    ...(keyed
      ? [
          {
            id: "key",
            header: "Key",
            track: "minmax(80px,1fr)",
            mono: true,
            from: "sm" as const,
            cell: (m: Message) => <Preview payload={m.key} />,
          },
        ]
      : []),
    {
      id: "value",
      header: "Value",
      track: "minmax(140px,6fr)",
      mono: true,
      cell: (m) => <Preview payload={m.value} />,
    },
  ];
}

export function Preview({ payload }: { payload: Payload }) {
  if (payload.format === "null") return <span className="text-faint italic">null</span>;
  return (
    <span>
      {payload.format === "bytes" && <span className="text-faint">base64 </span>}
      {payload.format === "json" || payload.format === "avro" ? (
        <Coloured code={payload.text.slice(0, 320)} language="json" calm />
      ) : (
        payload.text.slice(0, 320)
      )}
    </span>
  );
}

function SeekControls({ seek, onChange }: { seek: Seek; onChange: (seek: Seek) => void }) {
  const [offset, setOffset] = useState(seek.at === "offset" ? String(seek.offset) : "0");
  const choose = (at: string) => {
    if (at === "offset") onChange({ at, offset: Number(offset) || 0 });
    else if (at === "timestamp") onChange({ at, ms: Date.now() - 5 * 60_000 });
    else onChange({ at: at === "earliest" ? "earliest" : "latest" });
  };
  return (
    <>
      <Select aria-label="Read from" value={seek.at} onChange={(e) => choose(e.target.value)}>
        <option value="latest">Newest first</option>
        <option value="earliest">From the beginning</option>
        <option value="offset">From offset…</option>
        <option value="timestamp">From time…</option>
      </Select>
      {seek.at === "offset" && (
        <Input
          aria-label="Offset"
          inputMode="numeric"
          className="w-28 font-mono text-xs"
          value={offset}
          onChange={(e) => setOffset(e.target.value.replace(/\D/g, ""))}
          onBlur={() => onChange({ at: "offset", offset: Number(offset) || 0 })}
          onKeyDown={(e) => e.key === "Enter" && onChange({ at: "offset", offset: Number(offset) || 0 })}
        />
      )}
      {seek.at === "timestamp" && (
        <Input
          aria-label="Time"
          type="datetime-local"
          step={1}
          value={toLocalInput(seek.ms)}
          onChange={(e) =>
            e.target.value && onChange({ at: "timestamp", ms: new Date(e.target.value).getTime() })
          }
        />
      )}
    </>
  );
}

function Status({
  live,
  browsed,
  tailed,
  shown,
  filter,
}: {
  live: boolean;
  browsed: ReturnType<typeof useBrowse>;
  tailed: ReturnType<typeof useTail>;
  shown: number;
  filter: string;
}) {
  const box = "ml-auto flex items-center gap-2 text-xs text-soft";
  if (live) {
    return (
      <div role="status" className={box}>
        {tailed.error && <Badge tone="warn">{tailed.error}</Badge>}
        {count(tailed.seen)} since you look
        {tailed.dropped > 0 && ` · ${count(tailed.dropped)} skipped, too many to show`}
        {tailed.seen > ROWS_MAX && ` · last ${count(ROWS_MAX)} kept`}
      </div>
    );
  }
  if (browsed.end) {
    const { scanned, reason } = browsed.end;
    return (
      <div role="status" className={box}>
        {filter ? `${count(shown)} of ${compact(scanned)} read` : `${count(shown)} shown`}
        {reason === "budget" && <Badge tone="warn">stopped at the scan limit</Badge>}
      </div>
    );
  }
  if (browsed.error !== null) return <div className={box} />;
  return (
    <div role="status" className={box}>
      <LoaderCircle className="size-3.5 animate-spin" />
      {browsed.progress && (
        <>
          {compact(browsed.progress.scanned)} of {compact(browsed.progress.total)} read,{" "}
          {count(browsed.progress.matched)} found
          <Button size="sm" onClick={browsed.cancel}>
            Cancel
          </Button>
        </>
      )}
    </div>
  );
}

function Nothing({
  topic,
  filter,
  scanned,
  seek,
}: {
  topic: TopicDetail;
  filter: string;
  scanned: number;
  seek: Seek;
}) {
  const kafka = useQuery(infoQuery).data?.endpoints.kafka ?? "127.0.0.1:9092";
  if (filter) {
    return (
      <p className="px-4 py-16 text-center text-soft">
        None of the {count(scanned)} records read has “{filter}” in its key, value or headers.
      </p>
    );
  }
  if (seek.at === "offset" || seek.at === "timestamp") {
    return <p className="px-4 py-16 text-center text-soft">Nothing lies at or after that place yet.</p>;
  }
  return (
    <EmptyState
      icon={<Inbox />}
      title="No records yet"
      command={[
        `echo '{"id":1,"name":"Ada"}' | kcat -b ${kafka} -t ${topic.name} -P`,
        `tidemill topic produce ${topic.name} '{"id":1}'`,
      ]}
    >
      Nothing has been produced to this topic, or retention has removed it. Send one record to see it here at
      once:
    </EmptyState>
  );
}
