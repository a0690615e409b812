#pragma once

#include <exception>
#include <string>

#include <caf/all.hpp>

#include "actors/log.hpp"

namespace romancy {

/// To be called first in every actor. Without these handlers CAF writes to stdout, and an actor without an error handler
/// dies of a lost answer. An exception that leaves a handler ends the actor, with its text as the reason, and its
/// supervisor starts another one.
inline void guard(caf::scheduled_actor* self, const std::string& name) {
  self->set_exception_handler([name](caf::scheduled_actor*, std::exception_ptr& thrown) -> caf::error {
    std::string what = "unknown exception";
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      what = e.what();
    } catch (...) { // its text stays unknown
    }
    log().error("{} ended by an exception: {}", name, what);
    return caf::make_error(caf::sec::runtime_error, what);
  });
  self->set_default_handler([name](caf::scheduled_actor*, caf::message_view& message) -> caf::result<caf::message> {
    log().error("{} does not understand {}", name, caf::to_string(message.move_content_to_message()));
    return caf::sec::unexpected_message;
  });
  self->set_down_handler([](caf::scheduled_actor*, caf::down_msg&) {});
  self->set_error_handler([name](caf::scheduled_actor*, caf::error& error) {
    log().error("{} got an error: {}", name, caf::to_string(error));
  });
  self->set_exit_handler([](caf::scheduled_actor* me, caf::exit_msg& message) { me->quit(std::move(message.reason)); });
}

/// Sends to `receiver`; what it answers goes to `sender`.
template <class Message>
void tell_as(const caf::strong_actor_ptr& sender, const caf::strong_actor_ptr& receiver, Message message) {
  if (receiver)
    receiver->enqueue(caf::make_mailbox_element(sender, caf::make_message_id(), {}, std::move(message)), nullptr);
}
template <class Message> void tell_as(const caf::strong_actor_ptr& sender, const caf::actor& receiver, Message message) {
  tell_as(sender, caf::actor_cast<caf::strong_actor_ptr>(receiver), std::move(message));
}
/// Sends where no answer is expected, from any thread.
template <class Message, class Receiver> void tell(const Receiver& receiver, Message message) {
  tell_as(nullptr, receiver, std::move(message));
}

} // namespace romancy
