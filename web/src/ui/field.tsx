import { ChevronDown, Search, X } from "lucide-react";
import type { InputHTMLAttributes, ReactNode, SelectHTMLAttributes } from "react";
import { useEffect, useState } from "react";
import { cx } from "@/lib/cx";

const box =
  "h-8 rounded-md border bg-panel text-sm text-ink placeholder:text-faint hover:border-line-strong focus-visible:border-brand focus-visible:outline-1 focus-visible:outline-offset-0";

export function Input({ className, ...rest }: InputHTMLAttributes<HTMLInputElement>) {
  return <input className={cx(box, "px-2.5", className)} {...rest} />;
}

export function Select({ className, children, ...rest }: SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <span className={cx("relative inline-flex", className)}>
      <select className={cx(box, "w-full appearance-none pr-7 pl-2.5")} {...rest}>
        {children}
      </select>
      <ChevronDown aria-hidden className="pointer-events-none absolute top-2.5 right-2 size-3 text-faint" />
    </span>
  );
}

/** Text that filters a list. Tells its owner a moment after the last key. */
export function SearchInput({
  value,
  onChange,
  placeholder,
  className,
  delayMs = 120,
  label,
}: {
  value: string;
  onChange: (value: string) => void;
  placeholder: string;
  className?: string;
  delayMs?: number;
  label?: string;
}) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange(text), delayMs);
    return () => clearTimeout(timer);
  }, [text, value, onChange, delayMs]);
  return (
    <span className={cx("relative inline-flex", className)}>
      <Search aria-hidden className="pointer-events-none absolute top-2.5 left-2.5 size-3.5 text-faint" />
      <input
        type="text"
        aria-label={label ?? placeholder}
        className={cx(box, "w-full pr-7 pl-8")}
        value={text}
        placeholder={placeholder}
        spellCheck={false}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") onChange(text);
          if (event.key === "Escape" && text) {
            event.stopPropagation();
            setText("");
            onChange("");
          }
        }}
      />
      {text && (
        <button
          type="button"
          aria-label="Clear"
          className="absolute top-1.5 right-1.5 rounded p-1 text-faint hover:text-ink"
          onClick={() => {
            setText("");
            onChange("");
          }}
        >
          <X className="size-3" />
        </button>
      )}
    </span>
  );
}

export function Labelled({
  label,
  hint,
  children,
}: {
  label: string;
  hint?: ReactNode;
  children: ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child.
    <label className="flex flex-col gap-1">
      <span className="text-xs font-medium text-soft">{label}</span>
      {children}
      {hint && <span className="text-xs text-faint">{hint}</span>}
    </label>
  );
}
