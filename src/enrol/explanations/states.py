"""Explanations of the states of a client, and of what operators cannot do."""

from enrol.explanations.explanation import Explanation

STATES: dict[str, Explanation] = {
    "awaiting_approval": Explanation(
        "The bank has not approved the registration yet.",
        "Wait, and read the registration now and then: its state and the reason are in the answer.",
        "setting approval.mode",
    ),
    "awaiting_second_approval": Explanation(
        "One person of the bank has approved the registration; a second one has to.",
        "Wait, and read the registration now and then: its state and the reason are in the answer.",
        "setting approval.four_eyes",
    ),
    "awaiting_effect": Explanation(
        "The registration is in order, and counts from the time in client_active_from on.",
        "Wait until then.",
        "setting approval.effective; BPCE, limits of the API",
    ),
    "suspended_by_bank": Explanation(
        "The bank has suspended the client.",
        "Speak to the bank; no update of the registration ends this.",
        "RFC 7591 §5",
    ),
    "rejected_by_bank": Explanation(
        "The bank has rejected the registration.",
        "Delete the client, mend what the reason says, and register again.",
        "RFC 7591 §3.2.2",
    ),
    "deleted_by_bank": Explanation(
        "The bank has deleted the client.",
        "Speak to the bank before you register again.",
        "RFC 7592 §2.1",
    ),
    "client_pending": Explanation(
        "The client is not active yet; GET on its registration says what it waits for.",
        "Read it with a token for the generic client_id, and use its own once it is active.",
        "settings approval.mode, approval.effective; RFC 6749 §5.2",
    ),
    "client_suspended": Explanation(
        "The client is suspended; GET on its registration says why.",
        "Update the registration with good certificates, by a token for the generic client_id; "
        "where the bank itself suspended it, speak to the bank.",
        "RTS 2018/389 art. 34; RFC 6749 §5.2",
    ),
    "client_rejected": Explanation(
        "The bank has rejected the client; GET on its registration says why.",
        "Read it, delete it, and register again what is in order.",
        "RFC 7591 §3.2.2; RFC 6749 §5.2",
    ),
    "client_not_found": Explanation(
        "There is no living client with this client_id.",
        "Look for it with enrol admin list; a deleted client does not come back.",
        "enrol admin",
    ),
    "transition_refused": Explanation(
        "This cannot be done to a client in this state.",
        "Pending clients are approved or rejected, active ones suspended. Suspended ones are "
        "resumed where the bank suspended them; where the re-check did, better certificates do it.",
        "enrol admin",
    ),
    "same_operator": Explanation(
        "The second approval has to come from another person than the first.",
        "Have somebody else approve the client.",
        "setting approval.four_eyes",
    ),
    "reason_missing": Explanation(
        "Rejecting, suspending and deleting need a reason.",
        "Say why in a sentence: the TPP reads it, and the audit trail keeps it.",
        "enrol admin",
    ),
    "reason_not_plain": Explanation(
        "The reason is not one line of at most 140 characters that people can read.",
        "Leave out line breaks and control characters, or say it in fewer words.",
        "enrol admin",
    ),
}
