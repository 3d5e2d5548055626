import type { ReactNode } from "react";

export function Section(props: { title: string; sub?: ReactNode; children: ReactNode }) {
  return (
    <section className="forecast-section">
      <div className="section-head">
        <h2>{props.title}</h2>
        {props.sub && <span className="sm mut">{props.sub}</span>}
      </div>
      {props.children}
    </section>
  );
}
