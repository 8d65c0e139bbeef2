// @ts-check
/**
 * One entry per problem type: its title, what happened, what to do now.
 * The slugs are those of docs/problems.md, of the callback, and four that only a browser can see.
 */

/** @type {[slug: string, title: string, happened: string, todo: string][]} */
const table = [
  ['not-found', 'Page not found', 'There is no page at this address.', 'Check the address, or start from your profile.'],
  ['offline', 'You’re offline', 'This device can’t reach us. It may have lost its connection.', 'Check your connection, then try again.'],
  ['unreachable', 'We can’t be reached', 'This device has a connection, but no answer came from us.', 'Wait a moment, then try again. If others can’t reach us either, the fault is on our side.'],
  ['timeout', 'This is taking too long', 'No answer came within ten seconds.', 'Wait a moment, then try again.'],
  ['unexpected-answer', 'We couldn’t read the answer', 'Something between you and us answered in our place, or we answered in a form this page doesn’t know.', 'Reload the page. If it happens again, quote the reference to your administrator.'],
  ['sign-in-required', 'Sign in first', 'You’re signed out, or your session ended.', 'Sign in and go on where you were.'],
  ['step-up-required', 'Confirm it’s you', 'Changing your profile takes a second confirmation that it’s you.', 'Continue to the confirmation.'],
  ['cross-origin-refused', 'This request was refused', 'It looked as if another website had sent it, so we didn’t act on it.', 'Reload this page and do it again from here. If a browser extension changes your requests, switch it off for this site.'],
  ['access-blocked', 'Your access is blocked', 'Your organisation’s rules don’t let you do this. Signing in again doesn’t change that.', 'Ask your administrator, and quote the reference.'],
  ['profile-changed', 'Your profile was changed elsewhere', 'Since you opened it, your profile was changed in another place.', 'Compare both versions, and choose.'],
  ['invalid-profile-patch', 'Some details can’t be saved', 'At least one field has a value that can’t be stored.', 'Go back to your changes and correct the marked fields.'],
  ['too-many-requests', 'Too many requests', 'More requests came from you, or from your network, than we take in a short time.', 'Wait a moment, then try again.'],
  ['step-up-loop', 'Confirming didn’t work', 'You confirmed several times, and your organisation’s sign-in service still doesn’t let us save.', 'Wait a while before you try again. If it goes on, tell your administrator and quote the reference.'],
  ['resource-unavailable', 'The profile service isn’t answering', 'The service that holds your profile can’t be reached just now.', 'Wait a moment, then try again. You stay signed in.'],
  ['overloaded', 'Too much is going on here', 'More people are using this service right now than it can serve at once.', 'Wait a moment, then try again. You stay signed in.'],
  ['authority-unavailable', 'The sign-in service isn’t answering', 'Your organisation’s sign-in service can’t be reached just now.', 'Wait a moment, then try again. You don’t lose your session here.'],
  ['session-store-unavailable', 'We can’t look up your session', 'The place where sessions are kept can’t be reached just now.', 'Wait a moment, then try again. You stay signed in.'],
  ['misconfigured', 'This service isn’t set up correctly', 'Something is missing in how this service is connected to your organisation. It’s not your fault, and you can’t mend it from here.', 'Tell your administrator, and quote the reference.'],
  ['sign-in-cancelled', 'You cancelled signing in', 'You turned back on the sign-in page, so you’re not signed in.', 'Sign in when you’re ready.'],
  ['sign-in-expired', 'This sign-in is no longer valid', 'It took too long, was already used, or was begun in another browser.', 'Start again from here.'],
  ['cookie-not-kept', 'This browser keeps no sign-in here', 'At an address that begins with http, Safari keeps no secure cookie, not even on this computer. So it can’t show that the sign-in was its own.', 'Start the service with “python3 dev.py --https” and open the https address, or use another browser.'],
  ['sign-in-failed', 'Signing in didn’t work', 'The answer of your organisation’s sign-in service didn’t pass our checks, so we didn’t rely on it.', 'Start again. If it happens twice, tell your administrator and quote the reference.'],
  ['step-up-cancelled', 'You didn’t confirm', 'You turned back before entering the code.', 'Try again, go back to your changes, or discard them.'],
  ['different-person', 'That was somebody else', 'The person who confirmed isn’t the person who is signed in here.', 'Confirm with your own account, or sign out first if you want to use the other one.'],
  ['request-timeout', 'That took too long to arrive', 'Your change didn’t reach us in one piece within ten seconds.', 'Check your connection, then save again.'],
  ['content-too-large', 'That’s too much text', 'What was sent is larger than a profile can be.', 'Shorten your changes, then save again.'],
  ['uri-too-long', 'This address is too long', 'The address that was asked for is longer than we read.', 'Reload the page and try again.'],
  ['request-header-fields-too-large', 'Your browser sends too many cookies', 'Each request carries more cookies than we read. They may come from other services under the same name.', 'Delete the cookies of this address in your browser’s settings, then reload the page.'],
  ['duplicate-cookie', 'Your browser sends a cookie of this service twice', 'Two cookies came under one name, so we take neither.', 'Delete the cookies of this address in your browser’s settings, then reload the page.'],
  ['unsupported-media-type', 'That form isn’t accepted', 'What was sent isn’t in a form this service reads.', 'Reload the page and try again.'],
  ['bad-request', 'That couldn’t be read', 'What was sent can’t be read.', 'Reload the page and try again.'],
  ['edit-in-progress', 'This change is being saved right now', 'The same change was sent twice, and the first is still on its way.', 'Wait a moment, then try again.'],
  ['idempotency-key-reused', 'This change doesn’t match the first one', 'It was sent under the number of an earlier, different change.', 'Reload the page, then save again.'],
  ['misdirected-request', 'Wrong address', 'This service doesn’t answer under the address you used.', 'Use the address you were given, and tell your administrator if it stays like this.'],
  ['internal-error', 'A fault on our side', 'This service failed in a way we didn’t foresee. It has been recorded.', 'Try again. If it happens twice, tell your administrator and quote the reference.'],
];

/** @type {Record<string, string>} */
export const problems = {
  'data.nothing': 'Nothing was changed.',
  'data.kept': 'Nothing was changed; your changes are kept.',
  'data.unsure': 'We don’t know yet whether your change was saved. Trying again is safe: the same change is never made twice.',
};
for (const [slug, title, happened, todo] of table) {
  problems[`problem.${slug}.title`] = title;
  problems[`problem.${slug}.happened`] = happened;
  problems[`problem.${slug}.todo`] = todo;
}
