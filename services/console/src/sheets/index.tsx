import { useEffect } from "react";
import { useLocation } from "wouter";
import { DismissSheet, ResolveSheet, SnoozeSheet } from "./alert-sheets";
import { ComplaintSheet, ComplaintStateSheet } from "./complaint-sheet";
import { HeardSheet, ObjectionSettledSheet } from "./heard-sheet";
import { LogSheet } from "./log-sheet";
import { MeetingSheet, MeetingStateSheet } from "./meeting-sheet";
import { NoteSheet } from "./note-sheet";
import { closeSheet, type OpenSheet, useOpenSheet } from "./open";
import { PersonLeftSheet, PersonSheet } from "./person-sheet";
import { PromiseSheet, PromiseStateSheet } from "./promise-sheet";

function Shown({ sheet }: { sheet: OpenSheet }) {
  const { subject } = sheet;
  const common = { sheet, subject, onClose: closeSheet };
  switch (sheet.kind) {
    case "call":
    case "log":
      return <LogSheet {...common} />;
    case "note":
      return <NoteSheet {...common} />;
    case "promise":
      return <PromiseSheet {...common} />;
    case "complaint":
      return <ComplaintSheet {...common} />;
    case "meeting":
      return <MeetingSheet {...common} />;
    case "meeting-held":
      return <LogSheet {...common} planned={sheet.matter} />;
    case "meeting-moved":
    case "meeting-cancelled":
      return <MeetingStateSheet {...common} sheet={sheet} matter={sheet.matter} />;
    case "heard":
      return <HeardSheet {...common} />;
    case "objection-settled":
      return <ObjectionSettledSheet {...common} matter={sheet.matter} />;
    case "person":
      return <PersonSheet {...common} />;
    case "person-left":
      return <PersonLeftSheet {...common} matter={sheet.matter} />;
    case "promise-kept":
    case "promise-moved":
    case "promise-broken":
      return <PromiseStateSheet {...common} sheet={sheet} matter={sheet.matter} />;
    case "complaint-settled":
    case "complaint-rejected":
      return <ComplaintStateSheet {...common} sheet={sheet} matter={sheet.matter} />;
    case "snooze":
      return <SnoozeSheet {...common} />;
    case "dismiss":
      return <DismissSheet {...common} />;
    case "resolve":
      return <ResolveSheet {...common} />;
  }
}

/** The sheet that is open over the page, whichever screen opened it. */
export function Sheets() {
  const sheet = useOpenSheet();
  const [path] = useLocation();
  // Another page is another matter, such as by the back button: what was typed waits in the draft.
  useEffect(() => {
    if (path) closeSheet();
  }, [path]);
  return sheet ? <Shown sheet={sheet} key={`${sheet.kind} ${sheet.subject.clientId}`} /> : null;
}
