import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { client, triggerRun } from "@/api/queries";
import type { Dag } from "@/api/types";
import { Button } from "@/ui/button";
import { CodeBlock } from "@/ui/code";
import { Input, Labelled } from "@/ui/field";
import { Modal } from "@/ui/overlay";
import { conf, defaults, fieldsOf } from "./params";

/** Starts a run by hand, with its parameters. */
export function TriggerModal({ dag, open, onClose }: { dag: Dag; open: boolean; onClose: () => void }) {
  return (
    <Modal
      open={open}
      onClose={onClose}
      title={`Trigger ${dag.dag_id}`}
      description="A run starts at once, beside those of the schedule."
    >
      <Form dag={dag} onClose={onClose} />
    </Modal>
  );
}

function Form({ dag, onClose }: { dag: Dag; onClose: () => void }) {
  const fields = fieldsOf(dag.params ?? {});
  const [values, setValues] = useState(() => defaults(fields));
  const [json, setJson] = useState<string | null>(fields.length === 0 ? "{}" : null);
  const [wrong, setWrong] = useState<string | null>(null);
  const navigate = useNavigate();
  const trigger = useMutation({
    mutationFn: (body: Record<string, unknown>) => triggerRun(dag.dag_id, body),
    onSuccess: (run) => {
      void client.invalidateQueries({
        predicate: (q) => q.queryKey[0] === "dags" || q.queryKey[1] === dag.dag_id,
      });
      void navigate({ to: "/dags/$dag/runs/$run", params: { dag: dag.dag_id, run: run.dag_run_id } });
    },
  });
  const chosen = conf(fields, values, json);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (chosen.ok) trigger.mutate(chosen.value);
    else setWrong(chosen.error);
  };
  return (
    <form className="flex flex-col gap-4" onSubmit={submit}>
      {json === null ? (
        fields.map((field) => (
          <Labelled key={field.name} label={field.name} hint={field.description}>
            {field.kind === "boolean" ? (
              <input
                type="checkbox"
                className="size-4 accent-(--brand)"
                checked={values[field.name] === "true"}
                onChange={(e) => setValues({ ...values, [field.name]: String(e.target.checked) })}
              />
            ) : (
              <Input
                inputMode={field.kind === "number" ? "decimal" : "text"}
                value={values[field.name] ?? ""}
                onChange={(e) => setValues({ ...values, [field.name]: e.target.value })}
                className={field.kind === "json" ? "font-mono text-xs" : ""}
              />
            )}
          </Labelled>
        ))
      ) : (
        <Labelled label="conf" hint="JSON object that tasks read as the run's conf">
          <textarea
            rows={6}
            spellCheck={false}
            value={json}
            onChange={(e) => {
              setJson(e.target.value);
              setWrong(null);
            }}
            className="w-full rounded-md border bg-sunken p-3 font-mono text-xs leading-[18px]"
          />
        </Labelled>
      )}
      {fields.length > 0 && (
        <button
          type="button"
          className="self-start text-xs text-brand underline underline-offset-2"
          onClick={() =>
            setJson(json === null ? JSON.stringify(chosen.ok ? chosen.value : {}, null, 2) : null)
          }
        >
          {json === null ? "Write it as JSON" : "Use the form"}
        </button>
      )}
      {(wrong ?? trigger.error) && (
        <p role="alert" className="rounded-md bg-bad-soft px-3 py-2 text-bad">
          {wrong ?? trigger.error?.message}
        </p>
      )}
      {dag.is_paused && (
        <p className="rounded-md bg-warn-soft px-3 py-2 text-warn">
          This DAG is paused: the run waits until it is switched on.
        </p>
      )}
      <CodeBlock
        code={`tidemill dag trigger ${dag.dag_id} --wait${chosen.ok && Object.keys(chosen.value).length > 0 ? ` --conf '${JSON.stringify(chosen.value)}'` : ""}`}
        wrap
      />
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" type="submit" disabled={trigger.isPending}>
          Trigger
        </Button>
      </div>
    </form>
  );
}
