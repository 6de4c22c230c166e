// All customers in memory, by internal id, and which of them have changed. A flush writes them as they stood at its cut
// while their owner goes on: another thread copies them from where they are, in the order of their ids, and whoever is
// to change before it has come there is copied first. Threads: the owner's, but for write_changed(), which another may
// run beside all of them but cut().
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/growing_space.h"
#include "gold/customer.h"
#include "silver/row.h"

namespace tellerd::gold {

using silver::CustomerId;

struct CustomerCopy {
  CustomerId id = 0;
  CustomerState state;
  std::string spend;   // bytes of its view
  std::string beside;  // what belongs to it elsewhere
  SpendView spend_view() const noexcept { return SpendView(spend.empty() ? nullptr : spend.data()); }
};

class Customers {
 public:
  // Of those who are to change before they are written, so many are held; the next one waits.
  static constexpr std::size_t kHeldMax = 65'536;

  explicit Customers(std::size_t held_max = kHeldMax) : all_(1), held_max_(held_max) {}  // 0 is nobody
  // What somebody else keeps of a customer and only changes after change() of it is copied with it: appended to the
  // bytes, when it has changed in that round; called from either thread.
  using CopyBeside = std::function<void(CustomerId, std::uint32_t round, std::string&)>;
  void copy_with(CopyBeside copy) { copy_beside_ = std::move(copy); }
  std::uint32_t round() const noexcept { return round_; }  // from cut to cut
  std::size_t size() const noexcept { return all_.size(); }
  const Customer& operator[](CustomerId id) const { return all_[id]; }
  Passing& passing(CustomerId id) { return all_[id]; }  // may change at any time: it is not stored
  Customer& change(CustomerId id) {                     // until the next cut
    Customer& customer = all_[id];
    if (customer.changed_in != round_) note(id);
    return customer;
  }
  Customer& add();                                   // the next id; changed
  void restore(CustomerId id, Customer&& customer);  // as it is stored
  void extend_to(CustomerId last);                   // unchanged
  void prefetch(CustomerId id) const noexcept { core::prefetch(&all_[id], sizeof(Customer)); }

  std::size_t changed() const noexcept { return changed_.size(); }  // since the last cut
  // From here on changes belong to the next flush; those before it wait for write_changed(), which has to be through
  // before the next cut.
  void cut();
  // Each of them once, as it stood at the cut, in the order of ids, so many at a time.
  void write_changed(const std::function<void(std::span<const CustomerCopy>)>& write);
  std::size_t held() const noexcept { return places_.size(); }  // copies; while nobody writes
  void forget_cut() noexcept;                                   // one whose flush has failed, too
  void give_back();                                             // the room for them; while nobody writes

 private:
  void note(CustomerId id);
  void hold(Customer& customer, CustomerId id);
  void copy(std::span<const CustomerId> ids, std::span<CustomerCopy> copies);
  void copy_into(CustomerCopy& copy, CustomerId id, const Customer& customer) const;

  core::GrowingArray<Customer> all_;
  const std::size_t held_max_;
  CopyBeside copy_beside_;
  std::uint32_t round_ = 1;  // cuts so far, and one
  std::vector<CustomerId> changed_;

  // The cut's.
  std::vector<CustomerId> leaving_;   // whoever writes
  std::vector<CustomerCopy> copies_;  // the same
  std::atomic<bool> is_leaving_{false};
  std::mutex mutex_;
  std::condition_variable copied_;
  // Under the lock: ids up to these are being copied, and have been; and the copies made for who changes first.
  CustomerId claimed_through_ = 0, copied_through_ = 0;
  std::unordered_map<CustomerId, std::size_t> places_;
  std::vector<CustomerCopy> held_;
  std::vector<std::size_t> free_;
};

}  // namespace tellerd::gold
