import type { ButtonHTMLAttributes, ReactNode } from "react";
import { cx } from "@/lib/cx";

export const buttonLook = {
  base: "inline-flex items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap transition-colors duration-100 disabled:opacity-50 select-none",
  primary: "bg-brand text-on-brand hover:bg-brand-strong",
  plain: "border bg-panel text-ink hover:bg-hover",
  ghost: "text-soft hover:bg-hover hover:text-ink",
  danger: "bg-bad text-on-brand hover:opacity-90",
  md: "h-8 px-3 text-sm",
  sm: "h-7 px-2 text-xs",
  icon: "size-8",
};

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: "primary" | "plain" | "ghost" | "danger";
  size?: "md" | "sm" | "icon";
}

export function Button({ look = "plain", size = "md", className, type = "button", ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      className={cx(buttonLook.base, buttonLook[look], buttonLook[size], className)}
      {...rest}
    />
  );
}

/** A choice of few, all visible. */
export function Segmented<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: { value: T; label: ReactNode; title?: string }[];
  onChange: (value: T) => void;
}) {
  return (
    <div role="radiogroup" aria-label={label} className="inline-flex h-8 rounded-md border bg-sunken p-0.5">
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          role="radio"
          aria-checked={value === option.value}
          title={option.title}
          onClick={() => onChange(option.value)}
          className={cx(
            "inline-flex items-center gap-1.5 rounded-[5px] px-2.5 text-xs font-medium transition-colors",
            value === option.value
              ? "bg-panel text-ink shadow-[0_0_0_1px_var(--line)]"
              : "text-soft hover:text-ink",
          )}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
