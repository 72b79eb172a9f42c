// Requests from other threads to the engine's: in order, but one with the same tag as an older one that has
// not started takes its place, so that a dragged slider never floods the queue.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace vitrine::core {

class RequestQueue {
 public:
  using Work = std::function<void()>;

  void push(std::string tag, Work work) {
    {
      std::lock_guard lock(mutex_);
      std::erase_if(requests_, [&](const auto& request) { return request.first == tag; });
      requests_.emplace_back(std::move(tag), std::move(work));
    }
    arrived_.notify_one();
  }

  std::optional<Work> take() {
    std::lock_guard lock(mutex_);
    if (requests_.empty()) return std::nullopt;
    Work work = std::move(requests_.front().second);
    requests_.pop_front();
    return work;
  }

  // Until a request is there or the time has passed.
  void waitFor(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, time, [&] { return !requests_.empty(); });
  }
  void wait() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return !requests_.empty(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::pair<std::string, Work>> requests_;
};

}  // namespace vitrine::core
