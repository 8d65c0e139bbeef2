// @ts-check
/** The ten fields in German: labels, hints, and one sentence per way to be wrong. */

export const fields = {
  'group.name': 'Name',
  'group.work': 'Beruf',
  'group.address': 'Anschrift',
  'group.language': 'Sprache',

  'field.displayName': 'Anzeigename',
  'field.givenName': 'Vorname',
  'field.surname': 'Nachname',
  'field.jobTitle': 'Position',
  'field.streetAddress': 'Straße und Hausnummer',
  'field.city': 'Ort',
  'field.state': 'Bundesland oder Provinz',
  'field.postalCode': 'Postleitzahl',
  'field.country': 'Land oder Region',
  'field.preferredLanguage': 'Bevorzugte Sprache',

  'hint.displayName': 'So sehen andere Sie, in jeder Schrift und Reihenfolge, die Sie möchten.',
  'hint.country': 'Tippen Sie, um zu suchen.',
  'hint.preferredLanguage': 'Tippen Sie, um zu suchen. In dieser Sprache schreiben Ihnen andere Dienste.',

  'wrong.required.displayName': 'Geben Sie einen Anzeigenamen ein',
  'wrong.required': '{label} darf nicht leer sein',
  'wrong.too_long': '{label} darf höchstens {limit} Zeichen haben und hat {length}',
  'wrong.invalid_value.preferredLanguage': 'Wählen Sie eine Sprache aus der Liste, oder geben Sie ein Kürzel wie de-DE ein',
  'wrong.invalid_value.country': 'Wählen Sie ein Land oder eine Region aus der Liste',
  'wrong.invalid_value': '{label} enthält Zeichen, die sich nicht speichern lassen',
  'wrong.wrong_type': '{label} lässt sich in dieser Form nicht speichern',
  'wrong.unknown_field': '{label} lässt sich hier nicht ändern',
  'wrong.other': '{label}: {detail}',

  'list.open': 'Liste zeigen',
  'list.count': { one: '{n} Treffer', other: '{n} Treffer' },
  'list.none': 'Kein Treffer in der Liste',
};
