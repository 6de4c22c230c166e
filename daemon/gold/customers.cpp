#include "gold/customers.h"

#include <algorithm>
#include <type_traits>

#include "core/assert.h"
#include "core/prefetch.h"

namespace tellerd::gold {
namespace {

constexpr std::size_t kASlice = 64;  // who wants to change one of them waits for so many to be copied, some 10 us
constexpr std::size_t kWrittenAtOnce = 512;
constexpr std::size_t kFetchAhead = 8, kFetchSpendAhead = 4;
constexpr std::size_t kHeldLasting = 1'024;

}  // namespace

void Customers::copy_into(CustomerCopy& copy, CustomerId id, const Customer& customer) const {
  copy.id = id;
  copy.state = customer;
  copy.spend = customer.spend.view().bytes();
  copy.beside.clear();
  if (copy_beside_) copy_beside_(id, round_ - 1, copy.beside);
}

Customer& Customers::add() {
  all_.emplace_back();
  return change(static_cast<CustomerId>(all_.size() - 1));
}

void Customers::restore(CustomerId id, Customer&& customer) {
  extend_to(id);
  all_[id] = std::move(customer);
}

void Customers::extend_to(CustomerId last) {
  if (all_.size() <= last) all_.resize(last + std::size_t{1});
}

void Customers::note(CustomerId id) {
  Customer& customer = all_[id];
  if (customer.changed_in + 1 == round_ && is_leaving_.load(std::memory_order_acquire)) hold(customer, id);
  if (customer.changed_in != round_) customer.changed_in = round_;
  changed_.push_back(id);
}

// It belongs to the cut, and may not have been copied yet.
void Customers::hold(Customer& customer, CustomerId id) {
  std::unique_lock held(mutex_);
  const auto may_change = [&] { return !is_leaving_.load(std::memory_order_relaxed) || id <= copied_through_; };
  if (may_change()) return;
  std::size_t room = held_max_;  // who has to wait waits for more than one place
  const auto may_be_held = [&] { return id > claimed_through_ && places_.size() < room; };
  if (!may_be_held()) {
    room -= held_max_ / 4;
    copied_.wait(held, [&] { return may_change() || may_be_held(); });
  }
  if (may_change()) return;
  if (free_.empty()) {
    free_.push_back(held_.size());
    held_.emplace_back();
  }
  copy_into(held_[free_.back()], id, customer);
  places_.emplace(id, free_.back());
  free_.pop_back();
  customer.changed_in = round_;  // under the lock, where the other thread learns of it
}

void Customers::cut() {
  TELLERD_ASSERT(!is_leaving_.load(std::memory_order_acquire));
  leaving_.clear();
  leaving_.swap(changed_);
  ++round_;
  claimed_through_ = copied_through_ = 0;
  is_leaving_.store(true, std::memory_order_release);
}

void Customers::write_changed(const std::function<void(std::span<const CustomerCopy>)>& write) {
  const struct Ending {
    Customers& customers;
    ~Ending() { customers.forget_cut(); }
  } ending{*this};
  std::sort(leaving_.begin(), leaving_.end());
  copies_.resize(std::min(leaving_.size(), kWrittenAtOnce));
  for (std::span<const CustomerId> left = leaving_; !left.empty();) {
    const auto written = left.first(std::min(left.size(), kWrittenAtOnce));
    left = left.subspan(written.size());
    for (std::size_t at = 0; at < written.size(); at += kASlice) {
      const auto slice = written.subspan(at, std::min(written.size() - at, kASlice));
      copy(slice, std::span(copies_).subspan(at, slice.size()));
    }
    write(std::span(copies_).first(written.size()));
  }
}

// Nobody changes what is claimed until it is copied; whoever had changed before was held.
void Customers::copy(std::span<const CustomerId> ids, std::span<CustomerCopy> copies) {
  {
    const std::lock_guard held(mutex_);
    claimed_through_ = ids.back();
  }
  const Customer* const all = all_.begin();  // it grows meanwhile
  const auto is_held = [&](std::size_t at) { return all[ids[at]].changed_in == round_; };
  bool is_any_held = false;
  for (std::size_t at = 0; at < ids.size(); ++at) {
    if (at + kFetchAhead < ids.size()) core::prefetch(&all[ids[at + kFetchAhead]], sizeof(Customer));
    if (at + kFetchSpendAhead < ids.size() && !is_held(at + kFetchSpendAhead))
      all[ids[at + kFetchSpendAhead]].spend.prefetch();
    if (is_held(at)) {
      is_any_held = true;
      copies[at].id = 0;
    } else {
      copy_into(copies[at], ids[at], all[ids[at]]);
    }
  }
  {
    const std::lock_guard held(mutex_);
    for (std::size_t at = 0; is_any_held && at < ids.size(); ++at) {
      if (copies[at].id != 0) continue;
      const auto place = places_.find(ids[at]);
      TELLERD_ASSERT(place != places_.end());
      CustomerCopy& held_copy = held_[place->second];
      copies[at].id = held_copy.id;
      copies[at].state = held_copy.state;
      copies[at].spend.swap(held_copy.spend);  // the room of both stays in use
      copies[at].beside.swap(held_copy.beside);
      free_.push_back(place->second);
      places_.erase(place);
    }
    copied_through_ = ids.back();
  }
  copied_.notify_one();
}

// Of a flush that failed, whoever has not been written is not noted any more: its owner reads all of them back.
void Customers::forget_cut() noexcept {
  {
    const std::lock_guard held(mutex_);
    is_leaving_.store(false, std::memory_order_release);
    for (const auto& [id, place] : places_) free_.push_back(place);  // of a flush that failed
    places_.clear();
  }
  copied_.notify_one();
}

void Customers::give_back() {
  TELLERD_ASSERT(!is_leaving_.load(std::memory_order_acquire));
  const auto drop = [](auto& room) { std::remove_reference_t<decltype(room)>().swap(room); };  // = {} keeps it
  drop(leaving_);
  if (held_.capacity() <= kHeldLasting) return;
  drop(held_);
  drop(free_);
  drop(places_);
}

}  // namespace tellerd::gold
