import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { Braces, CalendarClock, Layers, Moon, Play, Search, Sun, Table2, Users, Waves } from "lucide-react";
import { type ReactNode, useState } from "react";
import {
  dagsQuery,
  groupsQuery,
  keyspacesQuery,
  pipelinesQuery,
  subjectsQuery,
  topicsQuery,
} from "@/api/queries";
import { pipelineName } from "@/lib/names";
import { TopDialog } from "@/ui/overlay";
import { NAV_ITEMS } from "./nav";
import { chooseTheme } from "./theme";

/** Jump to anything by name. Lists are asked for only while it is open. */
export function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <TopDialog
      open={open}
      onClose={onClose}
      label="Search or jump to"
      className="w-[min(620px,calc(100vw-24px))]"
    >
      <Command label="Search or jump to" loop>
        <Content onClose={onClose} />
      </Command>
    </TopDialog>
  );
}

function Content({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const topics = useQuery({ ...topicsQuery, refetchInterval: false }).data?.topics ?? [];
  const groups = useQuery({ ...groupsQuery, refetchInterval: false }).data?.groups ?? [];
  const subjects = useQuery({ ...subjectsQuery, refetchInterval: false }).data?.subjects ?? [];
  const keyspaces = useQuery({ ...keyspacesQuery, refetchInterval: false }).data?.keyspaces ?? [];
  const dags = useQuery({ ...dagsQuery, refetchInterval: false }).data?.dags ?? [];
  const pipelines = useQuery({ ...pipelinesQuery, refetchInterval: false }).data?.pipelines ?? [];
  const go = (act: () => void) => () => {
    onClose();
    act();
  };
  return (
    <>
      <div className="flex items-center gap-2.5 border-b px-4">
        <Search className="size-4 shrink-0 text-faint" />
        <Command.Input
          value={text}
          onValueChange={setText}
          placeholder="Topic, table, DAG, subject, group, page…"
          className="h-12 grow bg-transparent text-base outline-none placeholder:text-faint"
        />
        <kbd className="rounded border px-1.5 text-2xs text-faint">esc</kbd>
      </div>
      <Command.List className="max-h-[52vh] overflow-y-auto p-2">
        <Command.Empty className="px-3 py-8 text-center text-soft">
          Nothing here is called “{text}”.
        </Command.Empty>
        <Group heading="Pages">
          {NAV_ITEMS.map((item) => (
            <Item
              key={item.to}
              value={`page ${item.label}`}
              icon={<item.icon />}
              hint={`g ${item.key}`}
              onSelect={go(() => navigate({ to: item.to }))}
            >
              {item.label}
            </Item>
          ))}
        </Group>
        <Group heading="Topics">
          {topics
            .filter((t) => !t.internal || text.length > 1)
            .map((t) => (
              <Item
                key={t.name}
                value={`topic ${t.name}`}
                icon={<Layers />}
                mono
                onSelect={go(() => navigate({ to: "/topics/$topic", params: { topic: t.name } }))}
              >
                {t.name}
              </Item>
            ))}
        </Group>
        <Group heading="Tables">
          {keyspaces
            .filter((k) => !k.system || text.length > 1)
            .flatMap((k) =>
              k.tables.map((t) => (
                <Item
                  key={`${k.name}.${t.name}`}
                  value={`table ${k.name}.${t.name}`}
                  icon={<Table2 />}
                  mono
                  onSelect={go(() =>
                    navigate({ to: "/tables/$keyspace/$table", params: { keyspace: k.name, table: t.name } }),
                  )}
                >
                  {k.name}.{t.name}
                </Item>
              )),
            )}
        </Group>
        <Group heading="DAGs">
          {dags.map(({ dag }) => (
            <Item
              key={dag.dag_id}
              value={`dag ${dag.dag_id}`}
              icon={<CalendarClock />}
              mono
              onSelect={go(() => navigate({ to: "/dags/$dag", params: { dag: dag.dag_id } }))}
            >
              {dag.dag_id}
            </Item>
          ))}
          {dags.map(({ dag }) => (
            <Item
              key={`trigger ${dag.dag_id}`}
              value={`trigger dag ${dag.dag_id}`}
              icon={<Play />}
              onSelect={go(() =>
                navigate({ to: "/dags/$dag", params: { dag: dag.dag_id }, search: { trigger: true } }),
              )}
            >
              Trigger <span className="font-mono text-xs">{dag.dag_id}</span>…
            </Item>
          ))}
        </Group>
        <Group heading="Pipelines">
          {pipelines.map((p) => (
            <Item
              key={p.id}
              value={`pipeline ${p.name} ${p.id}`}
              icon={<Waves />}
              mono
              onSelect={go(() => navigate({ to: "/pipelines/$pipeline", params: { pipeline: p.id } }))}
            >
              {pipelineName(p.name)}
            </Item>
          ))}
        </Group>
        <Group heading="Consumer groups">
          {groups.map((g) => (
            <Item
              key={g.group}
              value={`group ${g.group}`}
              icon={<Users />}
              mono
              onSelect={go(() => navigate({ to: "/groups/$group", params: { group: g.group } }))}
            >
              {g.group}
            </Item>
          ))}
        </Group>
        <Group heading="Schemas">
          {subjects.map((s) => (
            <Item
              key={s.subject}
              value={`schema ${s.subject}`}
              icon={<Braces />}
              mono
              onSelect={go(() => navigate({ to: "/schemas/$subject", params: { subject: s.subject } }))}
            >
              {s.subject}
            </Item>
          ))}
        </Group>
        <Group heading="Actions">
          <Item value="theme light" icon={<Sun />} onSelect={go(() => chooseTheme("light"))}>
            Light theme
          </Item>
          <Item value="theme dark" icon={<Moon />} onSelect={go(() => chooseTheme("dark"))}>
            Dark theme
          </Item>
        </Group>
      </Command.List>
    </>
  );
}

function Group({ heading, children }: { heading: string; children: ReactNode }) {
  return (
    <Command.Group
      heading={heading}
      className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-2xs [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-faint"
    >
      {children}
    </Command.Group>
  );
}

function Item({
  value,
  icon,
  hint,
  mono,
  onSelect,
  children,
}: {
  value: string;
  icon: ReactNode;
  hint?: string;
  mono?: boolean;
  onSelect: () => void;
  children: ReactNode;
}) {
  return (
    <Command.Item
      value={value}
      onSelect={onSelect}
      className="flex h-9 cursor-pointer items-center gap-2.5 rounded-md px-2.5 text-soft data-[selected=true]:bg-brand-soft data-[selected=true]:text-ink [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-faint"
    >
      {icon}
      <span className={`min-w-0 grow truncate text-ink ${mono ? "font-mono text-xs" : "text-sm"}`}>
        {children}
      </span>
      {hint && <kbd className="text-2xs text-faint">{hint}</kbd>}
    </Command.Item>
  );
}
