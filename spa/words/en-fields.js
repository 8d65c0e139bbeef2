// @ts-check
/** The ten fields: labels, hints, and one sentence per way to be wrong, used at the field and in the summary. */

export const fields = {
  'group.name': 'Name',
  'group.work': 'Work',
  'group.address': 'Address',
  'group.language': 'Language',

  'field.displayName': 'Display name',
  'field.givenName': 'Given name',
  'field.surname': 'Family name',
  'field.jobTitle': 'Job title',
  'field.streetAddress': 'Street address',
  'field.city': 'City',
  'field.state': 'State or province',
  'field.postalCode': 'Postal code',
  'field.country': 'Country or region',
  'field.preferredLanguage': 'Preferred language',

  'hint.displayName': 'How others see you, in whatever script and order you like.',
  'hint.country': 'Type to search.',
  'hint.preferredLanguage': 'Type to search. What other services use to write to you.',

  'wrong.required.displayName': 'Enter a display name',
  'wrong.required': '{label} can’t be empty',
  'wrong.too_long': '{label} must be {limit} characters or fewer; it has {length}',
  'wrong.invalid_value.preferredLanguage': 'Choose a language from the list, or enter a code such as en-US',
  'wrong.invalid_value.country': 'Choose a country or region from the list',
  'wrong.invalid_value': '{label} has characters that can’t be stored',
  'wrong.wrong_type': '{label} can’t be stored in this form',
  'wrong.unknown_field': '{label} can’t be changed here',
  'wrong.other': '{label}: {detail}',

  'list.open': 'Show the list',
  'list.count': { one: '{n} result', other: '{n} results' },
  'list.none': 'No match in the list',
};
