// @ts-check
/** The problem types in German: title, what happened, what to do now. */

/** @type {[slug: string, title: string, happened: string, todo: string][]} */
const table = [
  ['not-found', 'Seite nicht gefunden', 'Unter dieser Adresse gibt es keine Seite.', 'Prüfen Sie die Adresse, oder beginnen Sie bei Ihrem Profil.'],
  ['offline', 'Sie sind offline', 'Dieses Gerät erreicht uns nicht. Vielleicht ist die Verbindung unterbrochen.', 'Prüfen Sie Ihre Verbindung, und versuchen Sie es dann noch einmal.'],
  ['unreachable', 'Wir sind nicht zu erreichen', 'Dieses Gerät hat eine Verbindung, aber von uns kam keine Antwort.', 'Warten Sie einen Moment, und versuchen Sie es dann noch einmal. Wenn uns auch andere nicht erreichen, liegt es an uns.'],
  ['timeout', 'Das dauert zu lange', 'Innerhalb von zehn Sekunden kam keine Antwort.', 'Warten Sie einen Moment, und versuchen Sie es dann noch einmal.'],
  ['unexpected-answer', 'Wir konnten die Antwort nicht lesen', 'Etwas zwischen Ihnen und uns hat an unserer Stelle geantwortet, oder unsere Antwort hat eine Form, die diese Seite nicht kennt.', 'Laden Sie die Seite neu. Wenn es wieder geschieht, nennen Sie Ihrer Administration die Kennung.'],
  ['sign-in-required', 'Melden Sie sich zuerst an', 'Sie sind abgemeldet, oder Ihre Sitzung ist zu Ende.', 'Melden Sie sich an, und machen Sie weiter, wo Sie waren.'],
  ['step-up-required', 'Bestätigen Sie, dass Sie es sind', 'Um Ihr Profil zu ändern, bestätigen Sie ein zweites Mal, dass Sie es sind.', 'Gehen Sie weiter zur Bestätigung.'],
  ['cross-origin-refused', 'Diese Anfrage wurde abgelehnt', 'Sie sah aus, als käme sie von einer anderen Website, deshalb sind wir ihr nicht gefolgt.', 'Laden Sie die Seite neu, und versuchen Sie es von hier aus noch einmal. Wenn eine Browsererweiterung Ihre Anfragen verändert, schalten Sie sie für diese Website aus.'],
  ['access-blocked', 'Ihr Zugang ist gesperrt', 'Die Regeln Ihrer Organisation erlauben Ihnen das nicht. Eine neue Anmeldung ändert daran nichts.', 'Fragen Sie Ihre Administration, und nennen Sie die Kennung.'],
  ['profile-changed', 'Ihr Profil wurde an anderer Stelle geändert', 'Seit Sie es geöffnet haben, wurde Ihr Profil anderswo geändert.', 'Vergleichen Sie beide Fassungen, und wählen Sie.'],
  ['invalid-profile-patch', 'Einige Angaben lassen sich nicht speichern', 'Mindestens ein Feld hat einen Wert, der sich nicht speichern lässt.', 'Gehen Sie zurück zu Ihren Änderungen, und berichtigen Sie die markierten Felder.'],
  ['too-many-requests', 'Zu viele Anfragen', 'Von Ihnen oder aus Ihrem Netz kamen mehr Anfragen, als wir in kurzer Zeit annehmen.', 'Warten Sie einen Moment, und versuchen Sie es dann noch einmal.'],
  ['step-up-loop', 'Die Bestätigung hat nicht geholfen', 'Sie haben mehrmals bestätigt, und der Anmeldedienst Ihrer Organisation lässt uns immer noch nicht speichern.', 'Warten Sie eine Weile, bevor Sie es noch einmal versuchen. Wenn es so bleibt, sagen Sie es Ihrer Administration, und nennen Sie die Kennung.'],
  ['resource-unavailable', 'Der Profildienst antwortet nicht', 'Der Dienst, der Ihr Profil verwahrt, ist gerade nicht zu erreichen.', 'Warten Sie einen Moment, und versuchen Sie es dann noch einmal. Sie bleiben angemeldet.'],
  ['overloaded', 'Hier ist gerade zu viel los', 'Mehr Menschen benutzen diesen Dienst gerade, als er auf einmal bedienen kann.', 'Warten Sie einen Moment, und versuchen Sie es dann noch einmal. Sie bleiben angemeldet.'],
  ['authority-unavailable', 'Der Anmeldedienst antwortet nicht', 'Der Anmeldedienst Ihrer Organisation ist gerade nicht zu erreichen.', 'Warten Sie einen Moment, und versuchen Sie es dann noch einmal. Ihre Sitzung hier verlieren Sie nicht.'],
  ['session-store-unavailable', 'Wir können Ihre Sitzung nicht nachschlagen', 'Der Ort, an dem Sitzungen liegen, ist gerade nicht zu erreichen.', 'Warten Sie einen Moment, und versuchen Sie es dann noch einmal. Sie bleiben angemeldet.'],
  ['misconfigured', 'Dieser Dienst ist nicht richtig eingerichtet', 'An der Verbindung dieses Dienstes mit Ihrer Organisation fehlt etwas. Es liegt nicht an Ihnen, und Sie können es von hier aus nicht beheben.', 'Sagen Sie es Ihrer Administration, und nennen Sie die Kennung.'],
  ['sign-in-cancelled', 'Sie haben die Anmeldung abgebrochen', 'Sie sind auf der Anmeldeseite umgekehrt und deshalb nicht angemeldet.', 'Melden Sie sich an, wenn Sie so weit sind.'],
  ['sign-in-expired', 'Diese Anmeldung gilt nicht mehr', 'Sie hat zu lange gedauert, wurde schon benutzt oder in einem anderen Browser begonnen.', 'Beginnen Sie von hier aus neu.'],
  ['cookie-not-kept', 'Dieser Browser behält hier keine Anmeldung', 'Unter einer Adresse, die mit http beginnt, behält Safari kein sicheres Cookie, auch nicht auf diesem Computer. Deshalb kann es nicht zeigen, dass es die Anmeldung begonnen hat.', 'Starten Sie den Dienst mit „python3 dev.py --https“ und öffnen Sie die https-Adresse, oder benutzen Sie einen anderen Browser.'],
  ['sign-in-failed', 'Die Anmeldung hat nicht geklappt', 'Die Antwort des Anmeldedienstes Ihrer Organisation hat unsere Prüfung nicht bestanden, deshalb haben wir uns nicht auf sie verlassen.', 'Beginnen Sie neu. Wenn es zweimal geschieht, sagen Sie es Ihrer Administration, und nennen Sie die Kennung.'],
  ['step-up-cancelled', 'Sie haben nicht bestätigt', 'Sie sind umgekehrt, bevor Sie den Code eingegeben haben.', 'Versuchen Sie es noch einmal, gehen Sie zurück zu Ihren Änderungen, oder verwerfen Sie sie.'],
  ['different-person', 'Das war jemand anderes', 'Wer bestätigt hat, ist nicht die Person, die hier angemeldet ist.', 'Bestätigen Sie mit Ihrem eigenen Konto, oder melden Sie sich zuerst ab, wenn Sie das andere benutzen möchten.'],
  ['request-timeout', 'Das kam zu langsam an', 'Ihre Änderung ist nicht innerhalb von zehn Sekunden vollständig bei uns angekommen.', 'Prüfen Sie Ihre Verbindung, und speichern Sie dann noch einmal.'],
  ['content-too-large', 'Das ist zu viel Text', 'Was gesendet wurde, ist größer, als ein Profil sein kann.', 'Kürzen Sie Ihre Änderungen, und speichern Sie dann noch einmal.'],
  ['uri-too-long', 'Diese Adresse ist zu lang', 'Die aufgerufene Adresse ist länger, als wir lesen.', 'Laden Sie die Seite neu, und versuchen Sie es noch einmal.'],
  ['request-header-fields-too-large', 'Ihr Browser sendet zu viele Cookies', 'Mit jeder Anfrage kommen mehr Cookies, als wir lesen. Sie können von anderen Diensten unter demselben Namen stammen.', 'Löschen Sie die Cookies dieser Adresse in den Einstellungen Ihres Browsers, und laden Sie die Seite neu.'],
  ['duplicate-cookie', 'Ihr Browser sendet ein Cookie dieses Dienstes doppelt', 'Zwei Cookies kamen unter einem Namen, also gilt keines.', 'Löschen Sie die Cookies dieser Adresse in den Einstellungen Ihres Browsers, und laden Sie die Seite neu.'],
  ['unsupported-media-type', 'Diese Form wird nicht angenommen', 'Was gesendet wurde, hat keine Form, die dieser Dienst liest.', 'Laden Sie die Seite neu, und versuchen Sie es noch einmal.'],
  ['bad-request', 'Das ließ sich nicht lesen', 'Was gesendet wurde, lässt sich nicht lesen.', 'Laden Sie die Seite neu, und versuchen Sie es noch einmal.'],
  ['edit-in-progress', 'Diese Änderung wird gerade gespeichert', 'Dieselbe Änderung wurde zweimal gesendet, und die erste ist noch unterwegs.', 'Warten Sie einen Moment, und versuchen Sie es dann noch einmal.'],
  ['idempotency-key-reused', 'Diese Änderung passt nicht zur ersten', 'Sie wurde unter der Nummer einer früheren, anderen Änderung gesendet.', 'Laden Sie die Seite neu, und speichern Sie dann noch einmal.'],
  ['misdirected-request', 'Falsche Adresse', 'Dieser Dienst antwortet nicht unter der Adresse, die Sie benutzt haben.', 'Benutzen Sie die Adresse, die Sie bekommen haben, und sagen Sie es Ihrer Administration, wenn es so bleibt.'],
  ['internal-error', 'Ein Fehler auf unserer Seite', 'Dieser Dienst hat auf eine Weise versagt, die wir nicht vorausgesehen haben. Das wurde festgehalten.', 'Versuchen Sie es noch einmal. Wenn es zweimal geschieht, sagen Sie es Ihrer Administration, und nennen Sie die Kennung.'],
];

/** @type {Record<string, string>} */
export const problems = {
  'data.nothing': 'Nichts wurde geändert.',
  'data.kept': 'Nichts wurde geändert; Ihre Änderungen bleiben erhalten.',
  'data.unsure': 'Wir wissen noch nicht, ob Ihre Änderung gespeichert wurde. Ein neuer Versuch ist ungefährlich: Dieselbe Änderung wird nie zweimal ausgeführt.',
};
for (const [slug, title, happened, todo] of table) {
  problems[`problem.${slug}.title`] = title;
  problems[`problem.${slug}.happened`] = happened;
  problems[`problem.${slug}.todo`] = todo;
}
