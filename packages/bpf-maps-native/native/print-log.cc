#include "print-log.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <utility>

namespace {

thread_local PrintLog *listener = nullptr;

int onPrint(libbpf_print_level level, const char *format, va_list arguments) {
  if (listener == nullptr || level == LIBBPF_DEBUG) return 0;
  va_list again;
  va_copy(again, arguments);
  int length = vsnprintf(nullptr, 0, format, again);
  va_end(again);
  if (length <= 0) return 0;
  std::string message(static_cast<size_t>(length), '\0');
  vsnprintf(message.data(), message.size() + 1, format, arguments);
  while (!message.empty() && message.back() == '\n') message.pop_back();
  const std::string prefix = "libbpf: ";
  if (message.compare(0, prefix.size(), prefix) == 0) message.erase(0, prefix.size());
  listener->add(std::move(message));
  return length;
}

bool startsWith(const std::string &text, const char *prefix) { return text.rfind(prefix, 0) == 0; }

// "connect4" of "prog 'connect4': BPF program load failed"; empty when the message is about something else.
std::string quotedAfter(const std::string &message, const std::string &opening) {
  if (!startsWith(message, opening.c_str())) return "";
  size_t end = message.find('\'', opening.size());
  return end == std::string::npos ? "" : message.substr(opening.size(), end - opening.size());
}

// The verifier closes with statistics, and repeats source lines and states: none of these says why.
bool tellsNothing(const std::string &line) {
  return line.empty() || startsWith(line, ";") || startsWith(line, "processed ") || startsWith(line, "verification time ") ||
         startsWith(line, "stack depth ") || startsWith(line, "max_states") || startsWith(line, "mark_precise") ||
         startsWith(line, "-- END PROG LOAD LOG");
}

std::string lastTellingLine(const std::string &log) {
  size_t end = log.size();
  while (end > 0) {
    size_t newline = log.rfind('\n', end - 1);
    size_t begin = newline == std::string::npos ? 0 : newline + 1;
    std::string line = log.substr(begin, end - begin);
    if (!tellsNothing(line)) return line;
    end = newline == std::string::npos ? 0 : newline;
  }
  return "";
}

const std::string kLogBegin = "-- BEGIN PROG LOAD LOG --\n";
const std::string kLogEnd = "-- END PROG LOAD LOG --";

std::string verifierLogIn(const std::string &message) {
  size_t begin = message.find(kLogBegin);
  if (begin == std::string::npos) return "";
  begin += kLogBegin.size();
  size_t end = message.rfind(kLogEnd);
  return message.substr(begin, end == std::string::npos || end < begin ? std::string::npos : end - begin);
}

}  // namespace

PrintLog::PrintLog() : outer_(listener) { listener = this; }
PrintLog::~PrintLog() { listener = outer_; }

Failure PrintLog::explain(int error, const std::string &operation, const std::string &object) const {
  std::string failed, detail, log;
  for (const std::string &message : messages_) {
    std::string program = quotedAfter(message, "prog '");
    std::string map = quotedAfter(message, "map '");
    if (!program.empty()) failed = "program " + program + " of ";
    else if (!map.empty() && failed.empty()) failed = "map " + map + " of ";
    std::string found = verifierLogIn(message);
    if (!found.empty()) log = found;
    else if (detail.empty()) detail = message;  // the first message is the cause, later ones follow from it
  }
  std::string line = lastTellingLine(log);
  return Failure(error, operation, failed + object, line.empty() ? detail : line, log);
}

void capturePrints() { libbpf_set_print(onPrint); }
